import { z } from 'zod';
import { isShort, NOTHING, readPages, YOUNG_MILLISECONDS, type Look, type Seen } from './look.ts';

const page = z.array(
  z.object({
    id: z.int(),
    guid: z.string(),
    delivered_at: z.iso.datetime({ offset: true }),
    redelivery: z.boolean().nullish(),
    status_code: z.int(),
  }),
);
type Attempt = z.infer<typeof page>[number];

const cursorSchema = z.object({
  /** All that GitHub sent before is settled. */
  since: z.number(),
  /** How often we had those sent again that still fail, by their name. */
  tries: z.record(z.string(), z.int()),
});
export type DeliveriesCursor = z.infer<typeof cursorSchema>;

/** GitHub sends nothing again that is older. */
const OLDEST_MILLISECONDS = 3 * 86_400_000;
/** In one look: changes are a second apart. */
const MOST_REDELIVERIES = 50;

/**
 * Has the app's deliveries that failed sent again: under the same name, so what came after all is taken once.
 * Source: https://docs.github.com/rest/apps/webhooks
 */
export async function lookAtDeliveries(
  look: Look,
  before: unknown,
): Promise<{ readonly cursor: DeliveriesCursor; readonly seen: Seen }> {
  const { github, signal, now, redeliveries } = look;
  const known = cursorSchema.safeParse(before).data;
  // What was before this began was nobody's loss.
  if (known === undefined) return { cursor: { since: now, tries: {} }, seen: NOTHING };
  const since = Math.max(known.since, now - OLDEST_MILLISECONDS);
  const attempts = new Map<string, Attempt[]>();
  const ask = (path: string) => github.askAsLogin('GET', path, signal);
  let cut = await readPages(look, '/app/hook/deliveries?per_page=100', page, ask, (all) => {
    for (const one of all) if (timeOf(one) >= since) attempts.set(one.guid, [...(attempts.get(one.guid) ?? []), one]);
    return all.every((one) => timeOf(one) >= since);
  });

  const tries: Record<string, number> = {};
  let redelivered = 0;
  let givenUp = 0;
  let settled = now - YOUNG_MILLISECONDS;
  for (const [guid, all] of [...attempts].reverse()) {
    if (all.some(isTaken)) continue;
    const made = Math.max(known.tries[guid] ?? 0, all.filter(({ redelivery }) => redelivery === true).length);
    const newest = Math.max(...all.map(timeOf));
    if (made >= redeliveries) {
      if (known.tries[guid] !== undefined) givenUp += 1;
      continue;
    }
    settled = Math.min(settled, ...all.map(timeOf));
    tries[guid] = made;
    if (newest > now - YOUNG_MILLISECONDS) continue;
    if (isShort(look) || redelivered >= MOST_REDELIVERIES) {
      cut = isShort(look) ? 'quota' : 'pages';
      continue;
    }
    const id = Math.min(...all.map((one) => one.id));
    // Counted also where the answer is lost: it may have been sent.
    tries[guid] = made + 1;
    const { status } = await github.askAsLogin('POST', `/app/hook/deliveries/${id}/attempts`, signal);
    if (status < 300) redelivered += 1;
  }
  // A list that was not read to its end has older ones that nobody looked at.
  const isWhole = cut === null || redelivered >= MOST_REDELIVERIES;
  return {
    cursor: { since: isWhole ? Math.max(since, settled) : since, tries },
    seen: { ...NOTHING, redelivered, givenUp, cut },
  };
}

const timeOf = ({ delivered_at }: Attempt): number => Date.parse(delivered_at);
const isTaken = ({ status_code }: Attempt): boolean => status_code >= 200 && status_code < 300;
