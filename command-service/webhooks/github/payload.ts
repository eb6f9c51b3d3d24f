import { text } from '@workledger/shared/contexts/text.ts';
import { z } from 'zod';

/** More than GitHub allows for any of these: a bound, not a rule. */
const MAX_BODY = 1_000_000;
const login = text(100, 1);

/** What every delivery may tell; the rest of its many fields is of no use here, and stays in the artefact store. */
export const payload = z.object({
  action: text(100).optional(),
  repository: z.object({ full_name: text(300, 1) }).nullish(),
  sender: z.object({ login }).nullish(),
});

/** A delivery of the event `issues`. https://docs.github.com/webhooks/webhook-events-and-payloads#issues */
export const issuesPayload = z.object({
  action: text(100, 1),
  repository: z.object({ full_name: text(300, 1) }),
  sender: z.object({ login }),
  issue: z.object({
    number: z.int().min(1),
    title: text(1_000),
    body: text(MAX_BODY).nullish(),
    state: z.enum(['open', 'closed']),
    html_url: text(2_000).nullish(),
    labels: z.array(z.object({ name: text(200) })).nullish(),
    user: z.object({ login }).nullish(),
  }),
  /** The label that was added; only with `labeled` and `unlabeled`. */
  label: z.object({ name: text(200) }).nullish(),
});
export type IssuesPayload = z.infer<typeof issuesPayload>;
