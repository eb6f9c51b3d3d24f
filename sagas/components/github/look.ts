import { createHash } from 'node:crypto';
import { z } from 'zod';
import { asksForChanges } from '@workledger/shared/contexts/sync/delivery/called-answer.ts';
import { isTrusted } from '@workledger/shared/contexts/sync/delivery/trusted.ts';
import { artefact } from '@workledger/shared/contexts/values.ts';
import { ComponentFailure } from '../../engine/component.ts';
import { repositoryOf } from '../environment.ts';
import { inRun, type Call } from '../run-component.ts';
import { pullStateResult, readPull } from './pull-requests.ts';
import { logExcerpt } from './log-excerpt.ts';
import { githubComponent, type GithubRepository } from './repository.ts';
import { checkRunsOf, verdictsOf, type Told, type Verdicts } from './verdicts.ts';

/** Of comments, reviews and comments on lines, the newest that were answered: GitHub's ids grow. */
const heard = z.object({
  comment: z.int().min(0),
  review: z.int().min(0),
  /** Runs of before do not tell it: they heard no comments on lines by themselves. */
  note: z.int().min(0).optional(),
});

const request = inRun.extend({
  number: z.int().positive(),
  /** Checks that are our own. */
  except: z.array(z.string()),
  heard,
});
type Request = z.infer<typeof request>;

const result = pullStateResult.extend({
  checks: z.object({ state: z.enum(['none', 'pending', 'passed', 'failed']), failed: z.array(z.string()) }),
  /** What failed, for the agent: `signature` is the same where the same failed in the same way. */
  failure: z.object({ signature: z.string(), report: artefact }).nullable(),
  /** What trusted persons want changed, since what was heard. */
  wanted: z.object({ report: artefact, heard }).nullable(),
});

/** How a pull request stands, in one call: itself, its checks, and what people want of it. Their words are in artefacts. */
export const look = githubComponent({
  request,
  result,
  act: async (asked, repository, call): Promise<z.infer<typeof result>> => {
    const pull = await readPull(repository, asked.number);
    const none = { checks: { state: 'none' as const, failed: [] }, failure: null, wanted: null };
    if (pull.state !== 'open') return { ...pull, ...none };
    const { state, checks } = await visibleVerdicts(repository, { commit: pull.head, except: asked.except });
    const failed = checks.filter((one) => one.state === 'failed');
    return {
      ...pull,
      checks: { state, failed: failed.map(({ name }) => name).slice(0, MOST_CHECKS) },
      failure: state === 'failed' ? await reportOf(repository, failed, call) : null,
      wanted: await wantedOf(repository, asked, call),
    };
  },
});

/** A login that may not see checks (tokens have not always the permission) sees statuses, and takes nothing for green. */
async function visibleVerdicts(repository: GithubRepository, of: Parameters<typeof verdictsOf>[1]): Promise<Verdicts> {
  let isWhole = true;
  const seen = await verdictsOf(repository, of, (...asked) =>
    checkRunsOf(...asked).catch((error: unknown) => {
      if (!(error instanceof ComponentFailure) || error.retryable || error.fault !== 'origin') throw error;
      isWhole = false;
      return [];
    }),
  );
  return isWhole || seen.state === 'failed' ? seen : { ...seen, state: 'pending' };
}

const MOST_CHECKS = 20;
const MOST_TOLD = 5;
const EXCERPT = 6_000;
const annotations = z.array(
  z.object({ path: z.string().nullish(), start_line: z.int().nullish(), message: z.string().nullish() }),
);

async function reportOf(repository: GithubRepository, failed: readonly Told[], { environment, secrets }: Call) {
  const parts: string[] = [];
  for (const check of failed.slice(0, MOST_TOLD)) {
    const { id, isJob, name, conclusion, words } = check;
    const lines = id === null ? [] : await annotationsOf(repository, id);
    const told = [...words, ...lines].filter((part) => part !== '').join('\n');
    const log = id === null || !isJob ? '' : await logExcerpt(repository, id);
    parts.push([`check "${name}": ${conclusion}`, told.slice(-EXCERPT), log].filter((part) => part !== '').join('\n'));
  }
  const text = secrets.text(parts.join('\n\n'));
  const report = await environment.artefacts.put(Buffer.from(text.toWellFormed()), 'text/plain; charset=utf-8');
  return { signature: signatureOf(text), report };
}

/** What differs from one run to the next (times, ids, numbers of lines) makes no other failure. */
const signatureOf = (text: string): string =>
  createHash('sha256')
    .update(text.replaceAll(/[0-9a-f]{7,40}|\d+/gi, '#').replaceAll(/\s+/g, ' '))
    .digest('hex')
    .slice(0, 32);

async function annotationsOf(repository: GithubRepository, id: number): Promise<string[]> {
  const found = (await repository.find(`/check-runs/${id}/annotations?per_page=50`, annotations)) ?? [];
  return found.map(({ path, start_line, message }) => `${path ?? ''}:${start_line ?? ''}: ${message ?? ''}`);
}

const person = z.object({ id: z.int(), login: z.string() }).nullish();
const comments = z.array(z.object({ id: z.int(), body: z.string().nullish(), user: person }));
const reviews = z.array(z.object({ id: z.int(), state: z.string(), body: z.string().nullish(), user: person }));
const notes = z.array(
  z.object({
    id: z.int(),
    body: z.string().nullish(),
    path: z.string().nullish(),
    line: z.int().nullish(),
    /** Where it was said, once the line is another one. */
    original_line: z.int().nullish(),
    pull_request_review_id: z.int().nullish(),
    user: person,
  }),
);
type Note = z.infer<typeof notes>[number];
const MOST_WORDS = 20_000;

const isRefusal = ({ state }: { readonly state: string }): boolean => state === 'CHANGES_REQUESTED';
/** One that was dismissed, or is still being written, says nothing. */
const isSaid = ({ state }: { readonly state: string }): boolean => state === 'COMMENTED' || state === 'APPROVED';

/** What trusted persons want: comments and reviews that call us, reviews that request changes, each with its lines, and lines that call us. */
async function wantedOf(repository: GithubRepository, asked: Request, { environment, step }: Call) {
  const { number, heard } = asked;
  const { trusted } = repositoryOf(environment, step, asked.repository);
  const mayAsk = ({ user }: { readonly user?: z.infer<typeof person> }): boolean =>
    isTrusted('github', trusted, user?.login ?? null);
  const list = <Item>(path: string, schema: z.ZodType<Item[]>): Promise<Item[]> =>
    repository.list(`${path}?per_page=100`, schema, (page) => page);
  const said = (await list(`/issues/${number}/comments`, comments)).filter(
    (one) => one.id > heard.comment && asksForChanges(one.body ?? '') && mayAsk(one),
  );
  const asking = (await list(`/pulls/${number}/reviews`, reviews)).filter(
    (one) => (isRefusal(one) || (isSaid(one) && asksForChanges(one.body ?? ''))) && mayAsk(one),
  );
  const news = asking.filter(({ id }) => id > heard.review);
  const inLines = await list(`/pulls/${number}/comments`, notes);
  const of = (id: number): Note[] => inLines.filter((note) => note.pull_request_review_id === id);
  const beside = inLines.filter(
    (note) =>
      note.id > (heard.note ?? 0) &&
      asksForChanges(note.body ?? '') &&
      mayAsk(note) &&
      // What belongs to a review that asks is told with it.
      asking.every(({ id }) => id !== note.pull_request_review_id),
  );
  if (said.length === 0 && news.length === 0 && beside.length === 0) return null;
  const words = [
    ...said.map(({ body, user }) => `${user?.login} says:\n${body}`),
    ...news.flatMap((one) => [
      `${one.user?.login} ${isRefusal(one) ? 'asks for changes' : 'says'}:\n${one.body ?? ''}`,
      ...of(one.id).map(inLine),
    ]),
    ...beside.map((note) => `${note.user?.login} says of a line:\n${inLine(note)}`),
  ].join('\n\n');
  const text = Buffer.from(words.slice(0, MOST_WORDS).toWellFormed());
  const newest = (all: readonly { readonly id: number }[], before: number): number =>
    Math.max(before, ...all.map(({ id }) => id));
  return {
    report: await environment.artefacts.put(text, 'text/plain; charset=utf-8'),
    heard: {
      ...{ comment: newest(said, heard.comment), review: newest(news, heard.review) },
      note: newest(beside, heard.note ?? 0),
    },
  };
}

const inLine = ({ path, line, original_line, body }: Note): string =>
  `${path ?? ''}:${line ?? original_line ?? ''}: ${body ?? ''}`;
