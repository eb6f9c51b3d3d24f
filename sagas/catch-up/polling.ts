import { z } from 'zod';
import type { Reviews } from '@workledger/shared/config/reviews.ts';
import { callsUs } from '@workledger/shared/contexts/sync/delivery/called-answer.ts';
import { same } from '@workledger/shared/contexts/sync/delivery/trusted.ts';
import { NOTHING, readPages, YOUNG_MILLISECONDS, type Found, type Look, type Seen } from './look.ts';
import { pullOf, type Pull } from './pull-requests.ts';

const account = z.object({ login: z.string() }).nullish();
const events = z.array(
  z.object({
    id: z.int(),
    event: z.string(),
    created_at: z.iso.datetime({ offset: true }),
    actor: account,
    label: z.object({ name: z.string() }).nullish(),
    requested_reviewer: account,
    issue: z
      .looseObject({
        number: z.int(),
        state: z.string().nullish(),
        labels: z.array(z.object({ name: z.string() })).catch([]),
        pull_request: z.unknown().optional(),
      })
      .nullish(),
  }),
);
type IssueEvent = z.infer<typeof events>[number];
const comments = z.array(
  z.object({
    id: z.int(),
    body: z.string().nullish(),
    html_url: z.string().nullish(),
    created_at: z.iso.datetime({ offset: true }),
    user: account,
  }),
);

const cursorSchema = z.object({
  /** The newest that was looked at: GitHub's ids grow. */
  event: z.int(),
  comment: z.int(),
  /** No comment before it is asked for. */
  commentsSince: z.string(),
});
export type PollingCursor = z.infer<typeof cursorSchema>;

const TOLD = new Set(['labeled', 'unlabeled', 'closed', 'transferred']);
const OF_PULLS = new Set(['review_requested', 'ready_for_review', 'reopened']);

/** As GitHub calls it, `owner/name`, and which of its pull requests are reviewed. */
type Place = { readonly name: string; readonly reviews: Pick<Reviews, 'label'> | null };

/**
 * Looks for what happened to the issues of a repository since the last look, and to pull requests as issues: what was said, and asked for.
 * Where nothing did, it costs nothing of the quota. @param hand takes what was found, the oldest first
 */
export async function lookAtIssues(
  look: Look,
  { name, reviews }: Place,
  before: unknown,
  hand: (found: Found) => Promise<void>,
): Promise<{ readonly cursor: PollingCursor; readonly seen: Seen }> {
  const { github, signal, now } = look;
  const old = now - YOUNG_MILLISECONDS;
  const ask = (path: string) => github.ask({ repository: name, method: 'GET', path, signal });
  const known = cursorSchema.safeParse(before).data;
  const repository = { full_name: name };

  const news: IssueEvent[] = [];
  let newest = known?.event ?? 0;
  const eventsCut = await readPages(look, '/issues/events?per_page=100', events, ask, (page) => {
    news.push(...page.filter(({ id }) => id > (known?.event ?? 0)));
    // What was before this began was nobody's loss.
    return known !== undefined && page.every(({ id }) => id > known.event);
  });
  if (known === undefined) {
    const event = Math.max(0, ...news.filter(({ created_at }) => Date.parse(created_at) <= old).map(({ id }) => id));
    const commentsSince = new Date(now).toISOString();
    return { cursor: { event, comment: 0, commentsSince }, seen: { ...NOTHING, cut: eventsCut } };
  }
  let found = 0;
  let isCut = false;
  // The younger ones of a list that was not read to its end would hide the older.
  const ripe = eventsCut === 'quota' ? [] : news.filter(({ created_at }) => Date.parse(created_at) <= old);
  for (const one of ripe.toSorted((a, b) => a.id - b.id)) {
    const isAsked = reviews !== null && asksForReview(one, reviews);
    const pull = isAsked ? await pullOf(look, name, one.issue?.number ?? 0) : null;
    isCut = pull === undefined;
    if (pull === undefined) break;
    const body = pull === null ? deliveryOf(one, repository) : reviewOf(one, pull, repository);
    if (body !== null) {
      await hand({ event: pull === null ? 'issues' : 'pull_request', deliveryId: `found-event-${one.id}`, body });
      found += 1;
    }
    newest = one.id;
  }

  let { comment, commentsSince } = known;
  // GitHub's times are whole seconds.
  const since = encodeURIComponent(commentsSince.replace(/\.\d+Z$/, 'Z'));
  const said: z.infer<typeof comments> = [];
  const path = `/issues/comments?sort=created&direction=asc&since=${since}&per_page=100`;
  const commentsCut = await readPages(look, path, comments, ask, (page) => said.push(...page) > 0);
  for (const { id, body, html_url, created_at, user } of said) {
    if (id <= comment || created_at < commentsSince || Date.parse(created_at) > old) continue;
    const [, kind, number = 0] = /\/(issues|pull)\/(\d+)#/.exec(html_url ?? '') ?? [];
    if (Number(number) > 0 && callsUs(body ?? '')) {
      const pull = kind === 'pull' ? await pullOf(look, name, Number(number)) : null;
      isCut ||= pull === undefined;
      if (pull === undefined) break;
      const issue = pull === null ? { number: Number(number) } : asIssue(pull);
      const told = { action: 'created', repository, sender: user, issue, comment: { id, body } };
      await hand({ event: 'issue_comment', deliveryId: `found-comment-${id}`, body: told });
      found += 1;
    }
    comment = id;
    commentsSince = new Date(created_at).toISOString();
  }
  const cut = isCut ? 'quota' : (eventsCut ?? commentsCut);
  return { cursor: { event: newest, comment, commentsSince }, seen: { ...NOTHING, found, cut } };
}

/** Null: it is of no issue, or undone by now: the newer state counts. */
function deliveryOf({ event, created_at, actor, label, issue }: IssueEvent, repository: object): object | null {
  if (!TOLD.has(event) || !issue || issue.pull_request) return null;
  const hasLabel = issue.labels.some(({ name }) => name === label?.name);
  if (event === 'labeled' && !hasLabel) return null;
  if (event === 'unlabeled' && hasLabel) return null;
  if (event === 'closed' && issue.state === 'open') return null;
  // Of when the change is, not of when we look.
  return { action: event, repository, sender: actor, label, issue: { ...issue, updated_at: created_at } };
}

/** As comments on it tell of a pull request. */
const asIssue = ({ number, title, body, state, user, author_association, html_url }: Pull) => ({
  ...{ number, title, body, state, user, author_association, html_url },
  pull_request: { html_url },
});

const asksForReview = ({ event, issue, label }: IssueEvent, reviews: Pick<Reviews, 'label'>): boolean =>
  Boolean(issue?.pull_request) && (OF_PULLS.has(event) || (event === 'labeled' && same(reviews.label, label?.name)));

/** Null: it is undone by now. */
function reviewOf(
  { event, created_at, actor, label, requested_reviewer }: IssueEvent,
  pull: Pull,
  repository: object,
): object | null {
  const isUndone = event === 'labeled' && !pull.labels.some(({ name }) => same(name, label?.name));
  if (pull.state !== 'open' || isUndone) return null;
  // Who did it answers for the head as it was then: who pushed after that is not told.
  const isLast = Date.parse(pull.updated_at) <= Date.parse(created_at);
  const sender = isLast || event === 'labeled' || event === 'review_requested' ? actor : null;
  return { action: event, repository, sender, label, requested_reviewer, pull_request: pull };
}
