import { createHash } from 'node:crypto';
import { z } from 'zod';
import { calledAnswer } from '@workledger/shared/contexts/sync/delivery/called-answer.ts';
import { isTrusted } from '@workledger/shared/contexts/sync/delivery/trusted.ts';
import { artefact } from '@workledger/shared/contexts/values.ts';
import { ComponentFailure } from '../../engine/component.ts';
import { repositoryOf } from '../environment.ts';
import { inRun, type Call } from '../run-component.ts';
import { pullStateResult, readPull } from './pull-requests.ts';
import { logExcerpt } from './log-excerpt.ts';
import { githubComponent, type GithubRepository } from './repository.ts';
import { checkRunsOf, verdictsOf, type Told, type Verdicts } from './verdicts.ts';

/** Of comments and reviews, the newest that were answered: GitHub's ids grow. */
const heard = z.object({ comment: z.int().min(0), review: z.int().min(0) });

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
    pull_request_review_id: z.int().nullish(),
  }),
);
const CALL = /(^|[\s(])@workledger(\[bot\])?\b/i;
/** Whether a comment speaks to us. */
export const callsUs = (text: string): boolean => CALL.test(text);
const MOST_WORDS = 20_000;

/** Answers to questions come as deliveries. */
const asksForChanges = (text: string): boolean =>
  callsUs(text) && (calledAnswer(text)?.verb ?? 'send-back') === 'send-back';

async function wantedOf(repository: GithubRepository, asked: Request, { environment, step }: Call) {
  const { number, heard } = asked;
  const { trusted } = repositoryOf(environment, step, asked.repository);
  const mayAsk = (user: z.infer<typeof person>): boolean => isTrusted('github', trusted, user?.login ?? null);
  const said = (await repository.list(`/issues/${number}/comments?per_page=100`, comments, (page) => page)).filter(
    ({ id, body, user }) => id > heard.comment && asksForChanges(body ?? '') && mayAsk(user),
  );
  const asking = (await repository.list(`/pulls/${number}/reviews?per_page=100`, reviews, (page) => page)).filter(
    ({ id, state, user }) => id > heard.review && state === 'CHANGES_REQUESTED' && mayAsk(user),
  );
  if (said.length === 0 && asking.length === 0) return null;
  const inLines =
    asking.length === 0 ? [] : await repository.list(`/pulls/${number}/comments?per_page=100`, notes, (page) => page);
  const words = [
    ...said.map(({ body, user }) => `${user?.login} says:\n${body}`),
    ...asking.flatMap(({ id, body, user }) => [
      `${user?.login} asks for changes:\n${body ?? ''}`,
      ...inLines
        .filter((note) => note.pull_request_review_id === id)
        .map(({ path, line, body }) => `${path ?? ''}:${line ?? ''}: ${body ?? ''}`),
    ]),
  ].join('\n\n');
  const text = Buffer.from(words.slice(0, MOST_WORDS).toWellFormed());
  const newest = (all: readonly { readonly id: number }[], before: number): number =>
    Math.max(before, ...all.map(({ id }) => id));
  return {
    report: await environment.artefacts.put(text, 'text/plain; charset=utf-8'),
    heard: { comment: newest(said, heard.comment), review: newest(asking, heard.review) },
  };
}
