import { z } from 'zod';
import { readAnswer } from '../components/github/answers.ts';
import { isShort, NOTHING, readPages, YOUNG_MILLISECONDS, type Found, type Look, type Seen } from './look.ts';

const account = z.object({ login: z.string() }).nullish();
/** A pull request, as far as deliveries tell of it. */
const pull = z.object({
  number: z.int(),
  title: z.string().nullish(),
  body: z.string().nullish(),
  state: z.string(),
  draft: z.boolean().nullish(),
  html_url: z.string().nullish(),
  user: account,
  author_association: z.string().nullish(),
  labels: z.array(z.object({ name: z.string() })).catch([]),
  created_at: z.iso.datetime({ offset: true }),
  updated_at: z.iso.datetime({ offset: true }),
  head: z.object({ ref: z.string(), sha: z.string(), repo: z.object({ full_name: z.string() }).nullish() }),
});
export type Pull = z.infer<typeof pull>;

/** Null: it is there no more. Undefined: the quota is for others. */
export async function pullOf(look: Look, name: string, number: number): Promise<Pull | null | undefined> {
  if (isShort(look)) return undefined;
  const { github, signal } = look;
  const answer = await github.ask({ repository: name, method: 'GET', path: `/pulls/${number}`, signal });
  return answer.status === 404 ? null : readAnswer('catch-up', answer, pull, 'GitHub');
}

const cursorSchema = z.object({
  /** What was opened before it is nobody's loss. */
  begun: z.string(),
  /** No change before it is asked for. */
  since: z.string(),
  /** Of those that are open and have changed since it began, by number. */
  heads: z.record(z.string(), z.string()),
});
export type PullsCursor = z.infer<typeof cursorSchema>;

/** More are not open at once, or their next push starts nothing. */
const MOST_HEADS = 1_000;
/** Small: each answer is kept for its ETag, and pull requests are told at length. */
const LIST = '/pulls?state=all&sort=updated&direction=desc&per_page=30';
const OURS = /^workledger\//;

/**
 * Looks for pull requests that were opened, or pushed to, since the last look: they may be ones to review. Where none has changed, it
 * costs nothing of the quota. @param name `owner/name` @param hand takes what was found, the oldest first
 */
export async function lookAtPulls(
  look: Look,
  name: string,
  before: unknown,
  hand: (found: Found) => Promise<void>,
): Promise<{ readonly cursor: PullsCursor; readonly seen: Seen }> {
  const { github, signal, now } = look;
  const known = cursorSchema.safeParse(before).data;
  const begun = new Date(now).toISOString();
  if (known === undefined) return { cursor: { begun, since: begun, heads: {} }, seen: NOTHING };
  const changed: Pull[] = [];
  const isNew = ({ updated_at }: Pull): boolean =>
    Date.parse(updated_at) >= Math.floor(Date.parse(known.since) / 1_000) * 1_000;
  const ask = (path: string) => github.ask({ repository: name, method: 'GET', path, signal });
  const cut = await readPages(look, LIST, z.array(pull), ask, (page) => {
    changed.push(...page.filter(isNew));
    return page.every(isNew);
  });
  // Of a list that was not read to its end, the newer ones would hide the older.
  if (cut === 'quota') return { cursor: known, seen: { ...NOTHING, cut } };
  const heads = new Map(Object.entries(known.heads));
  let { since } = known;
  let found = 0;
  for (const one of changed.toReversed()) {
    const { number, updated_at, head, state } = one;
    if (Date.parse(updated_at) > now - YOUNG_MILLISECONDS) break;
    const told =
      state === 'open' ? deliveryOf(one, { last: heads.get(String(number)), begun: known.begun, name }) : null;
    if (told !== null) {
      await hand({ event: 'pull_request', deliveryId: `found-pull-${number}-${head.sha}`, body: told });
      found += 1;
    }
    if (state === 'open') heads.set(String(number), head.sha);
    else heads.delete(String(number));
    since = new Date(updated_at).toISOString();
  }
  const kept = Object.fromEntries([...heads].slice(-MOST_HEADS));
  return { cursor: { begun: known.begun, since, heads: kept }, seen: { ...NOTHING, found, cut } };
}

type Before = { readonly last: string | undefined; readonly begun: string; readonly name: string };

/** Null: nothing of it is new, or it is of ours. */
function deliveryOf(one: Pull, { last, begun, name }: Before): object | null {
  const { user, head, created_at, updated_at } = one;
  const repository = { full_name: name };
  const isHere = head.repo?.full_name.toLowerCase() === name.toLowerCase();
  if ((isHere && OURS.test(head.ref)) || last === head.sha) return null;
  // Who pushed is not told; whose code it is decides what is run of it.
  if (last !== undefined) return { action: 'synchronize', repository, sender: null, before: last, pull_request: one };
  if (Date.parse(created_at) < Math.floor(Date.parse(begun) / 1_000) * 1_000) return null;
  return { action: 'opened', repository, sender: updated_at === created_at ? user : null, pull_request: one };
}
