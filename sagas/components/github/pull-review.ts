import { createHash } from 'node:crypto';
import { z } from 'zod';
import { artefact } from '@workledger/shared/contexts/values.ts';
import type { ComponentEnvironment } from '../environment.ts';
import { repositoryOf } from '../environment.ts';
import { refuse } from '../failures.ts';
import { type ReviewFinding, reviewReport, type ReviewReport } from '../code/review-words.ts';
import { findOrMake } from '@workledger/shared/outbound/find-or-make.ts';
import { inRun } from '../run-component.ts';
import { quoted } from './body.ts';
import { githubComponent, type GithubRepository } from './repository.ts';
import { asPlace, linesShown, oursAt } from './reviewed.ts';

const MARK = '<!-- workledger:pull-review head=';
const markOf = (head: string): string => `${MARK}${head} -->`;
const NOTE = /^<!-- workledger:review-finding ([0-9a-f]{24}) -->/;
const OURS = /^workledger\//;

const pull = z.object({
  state: z.string(),
  head: z.object({ sha: z.string(), ref: z.string(), repo: z.object({ full_name: z.string() }).nullish() }),
  base: z.object({ sha: z.string(), repo: z.object({ full_name: z.string() }).nullish() }),
});

/** Whether a head is to be reviewed still, or which one it is where nobody told it. */
export const reviewTarget = githubComponent({
  request: inRun.extend({ number: z.int().positive(), head: z.string().nullable() }),
  result: z.object({
    outcome: z.enum(['due', 'superseded', 'closed', 'reviewed', 'enough', 'own']),
    head: z.string(),
    base: z.string(),
    /** For its review. */
    timeoutSeconds: z.number(),
    mostPerDay: z.int(),
  }),
  act: async ({ number, head, repository: name }, repository, { environment, step }) => {
    const now = await repository.get(`/pulls/${number}`, pull);
    const { reviews } = repositoryOf(environment, step, name);
    const told = <Outcome extends string>(outcome: Outcome) => ({
      ...{ outcome, head: now.head.sha, base: now.base.sha },
      timeoutSeconds: reviews?.timeoutSeconds ?? 3_600,
      mostPerDay: reviews?.mostPerDay ?? 1,
    });
    if (now.state !== 'open') return told('closed');
    const isHere = now.head.repo?.full_name.toLowerCase() === now.base.repo?.full_name.toLowerCase();
    if (isHere && OURS.test(now.head.ref)) return told('own');
    if (head !== null && head !== now.head.sha) return told('superseded');
    const made = (await oursAt(repository, number, 'reviews')).filter(({ body }) => body?.startsWith(MARK));
    if (made.some(({ body }) => body?.startsWith(markOf(now.head.sha)))) return told('reviewed');
    return told(made.length >= (reviews?.mostPerPull ?? 0) ? 'enough' : 'due');
  },
});

const request = inRun.extend({
  number: z.int().positive(),
  head: z.string(),
  report: artefact,
  isTrusted: z.boolean(),
});
type Request = z.infer<typeof request>;

/** The one review of a head: what was found, on the lines that the pull request changes, and the rest in its words. */
export const publishReview = githubComponent({
  request,
  result: z.object({ outcome: z.enum(['made', 'unchanged', 'superseded', 'closed']), comments: z.int().min(0) }),
  act: async (asked, repository, { environment }) => {
    const { number, head } = asked;
    const at = `/pulls/${number}`;
    const now = await repository.get(at, pull);
    if (now.state !== 'open') return { outcome: 'closed' as const, comments: 0 };
    if (now.head.sha !== head) return { outcome: 'superseded' as const, comments: 0 };
    const said = await reportOf(environment, asked);
    let placed = 0;
    const find = async () =>
      (await oursAt(repository, number, 'reviews')).find(({ body }) => body?.startsWith(markOf(head))) ?? null;
    const { isNew } = await findOrMake<{ readonly id: number }>(find, async () => {
      const made = await post(repository, asked, said, eventOf(environment, asked, said));
      placed = made.placed;
      return made;
    });
    await dismissOlder(repository, number, head);
    return { outcome: isNew ? ('made' as const) : ('unchanged' as const), comments: placed };
  },
});

async function reportOf({ artefacts }: ComponentEnvironment, { report }: Request): Promise<ReviewReport> {
  const stored = await artefacts.get(report.digest);
  return stored === null
    ? refuse('review', 'the report is not kept any more')
    : reviewReport.parse(JSON.parse(Buffer.from(stored.bytes).toString('utf8')));
}

type Event = 'COMMENT' | 'REQUEST_CHANGES' | 'APPROVE';
const GRAVE: ReadonlySet<string> = new Set(['critical', 'high']);

/** What the registration lets a review say. A stranger's words may have talked an agent into finding nothing: that approves nothing. */
function eventOf(environment: ComponentEnvironment, asked: Request, { findings }: ReviewReport): Event {
  const { reviews } = repositoryOf(environment, 'review', asked.repository);
  if (reviews?.verdict === 'request-changes' && findings.some(({ severity }) => GRAVE.has(severity)))
    return 'REQUEST_CHANGES';
  return reviews?.approve === true && asked.isTrusted && findings.length === 0 ? 'APPROVE' : 'COMMENT';
}

const keyOf = ({ path, message }: ReviewFinding): string =>
  createHash('sha256')
    .update(`${path ?? ''}\n${message}`)
    .digest('hex')
    .slice(0, 24);

async function post(repository: GithubRepository, asked: Request, said: ReviewReport, event: Event) {
  const at = `/pulls/${asked.number}`;
  const before = new Set(
    (await oursAt(repository, asked.number, 'comments')).map(({ body }) => NOTE.exec(body ?? '')?.[1]),
  );
  const isInDiff = await linesShown(repository, asked.number);
  const fresh = said.findings.filter((one) => !isInDiff(one) || !before.has(keyOf(one)));
  const send = (placed: readonly ReviewFinding[], rest: readonly ReviewFinding[], as: Event) =>
    repository.change('POST', `${at}/reviews`, {
      ...{ commit_id: asked.head, event: as, body: bodyOf(asked, said, rest) },
      comments: placed.map((one) => ({
        ...{ path: one.path, line: one.line, side: 'RIGHT' },
        body: `<!-- workledger:review-finding ${keyOf(one)} -->\n${wordsOf(one)}`,
      })),
    });
  const placed = fresh.filter(isInDiff);
  const rest = fresh.filter((one) => !isInDiff(one));
  const answer = await send(placed, rest, event);
  const id = z.object({ id: z.int() });
  if (answer.status !== 422) return { ...repository.read(answer, id), placed: placed.length };
  // A line that the diff shows no more, or a login that may say no more than words.
  return { ...repository.read(await send([], fresh, 'COMMENT'), id), placed: 0 };
}

const wordsOf = ({ severity, message }: ReviewFinding): string => `**${severity}**: ${quoted(message)}`;

function bodyOf({ head }: Request, { summary, findings }: ReviewReport, rest: readonly ReviewFinding[]): string {
  const told = rest.map((one) => `- ${asPlace(one)}${wordsOf(one)}`);
  const count = findings.length === 0 ? 'Nothing was found.' : `${findings.length} findings.`;
  const parts = [markOf(head), quoted(summary), count, told.join('\n')];
  return parts
    .filter((part) => part !== '')
    .join('\n\n')
    .slice(0, 60_000)
    .toWellFormed();
}

/** What was said of an earlier head holds nobody up any more. */
async function dismissOlder(repository: GithubRepository, number: number, head: string): Promise<void> {
  for (const { id, body, state } of await oursAt(repository, number, 'reviews')) {
    const isOlder = body?.startsWith(MARK) === true && !body.startsWith(markOf(head));
    if (!isOlder || (state !== 'CHANGES_REQUESTED' && state !== 'APPROVED')) continue;
    const message = 'A newer head was reviewed.';
    await repository.change('PUT', `/pulls/${number}/reviews/${id}/dismissals`, { message });
  }
}
