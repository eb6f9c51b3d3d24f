import { text } from '@workledger/shared/contexts/text.ts';
import { parsePart } from '@workledger/shared/http/parse.ts';
import { z } from 'zod';
import type { Signal } from '../../domain/delivery.ts';
import { isSigned, readJson, type Provider } from '../provider.ts';

/** More than GitHub allows for any of these: a bound, not a rule. */
const MAX_BODY = 1_000_000;
const login = text(100, 1);

const identifyingHeaders = z.object({
  'x-github-event': z.string().regex(/^[a-z][a-z_]{0,99}$/, 'the name of an event'),
  'x-github-delivery': z.string().regex(/^[A-Za-z0-9-]{1,100}$/, 'the id of a delivery'),
});

/** What every delivery may tell; the rest of its many fields is of no use here, and stays in the artefact store. */
const payload = z.object({
  action: text(100).optional(),
  repository: z.object({ full_name: text(300, 1) }).nullish(),
  sender: z.object({ login }).nullish(),
});

/** A delivery of the event `issues`. https://docs.github.com/webhooks/webhook-events-and-payloads#issues */
const issuesPayload = z.object({
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

/** Webhooks of GitHub. https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries */
export const github: Provider = {
  name: 'github',
  title: 'GitHub',
  headers: { signature: 'X-Hub-Signature-256', event: 'X-GitHub-Event', delivery: 'X-GitHub-Delivery' },
  mediaTypes: ['application/json'],
  verify: ({ headers, bytes }, secrets) => {
    const hex = /^sha256=(.*)$/.exec(headers['x-hub-signature-256'] ?? '')?.[1];
    return isSigned([bytes], hex, secrets) ? null : 'X-Hub-Signature-256 does not sign this body';
  },
  identify: ({ headers }) => {
    const given = parsePart(identifyingHeaders, headers, 'headers');
    return { event: given['x-github-event'], deliveryId: given['x-github-delivery'].toLowerCase() };
  },
  read: (event, { bytes }) => {
    const json = readJson(bytes);
    const { action, repository, sender } = parsePart(payload, json, 'body');
    if (event === 'issues') return readIssue(json);
    return {
      action: action ?? null,
      repository: repository?.full_name ?? null,
      sender: sender?.login ?? null,
      reason: event === 'ping' ? 'ping: the webhook is set up' : `event ${event} starts no work`,
    };
  },
};

function readIssue(json: unknown): Signal {
  const { action, repository, sender, issue, label } = parsePart(issuesPayload, json, 'body');
  return {
    action,
    repository: repository.full_name,
    sender: sender.login,
    issue: {
      id: String(issue.number),
      name: `issue #${issue.number}`,
      reference: `${repository.full_name}#${issue.number}`,
      url: issue.html_url ?? null,
      title: issue.title,
      body: issue.body ?? '',
      labels: (issue.labels ?? []).map(({ name }) => name),
      author: issue.user?.login ?? null,
      isOpen: issue.state === 'open',
    },
    change:
      action === 'labeled'
        ? { kind: 'labeled', added: label ? [label.name] : [] }
        : { kind: action === 'closed' ? 'closed' : 'other' },
  };
}
