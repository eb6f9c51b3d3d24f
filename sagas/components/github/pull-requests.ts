import { z } from 'zod';
import { diffStat, metrics } from '@workledger/shared/contexts/values.ts';
import { ComponentFailure } from '../../engine/component.ts';
import { failureOf, refuse } from '../failures.ts';
import { linkToTask } from '../environment.ts';
import { inRun } from '../run-component.ts';
import { refused } from './answers.ts';
import { isOfRun, isOfTask, plain, sectionOf, titleOf, withSection } from './body.ts';
import { refusalOf } from './classify.ts';
import { findOrMake } from '@workledger/shared/outbound/find-or-make.ts';
import { githubComponent, issueOf, type GithubRepository } from './repository.ts';

/** Of a pull request, what is read. */
export const pull = z.object({
  number: z.int(),
  html_url: z.string(),
  state: z.enum(['open', 'closed']),
  body: z.string().nullish(),
  draft: z.boolean().nullish(),
  merged_at: z.string().nullish(),
  merge_commit_sha: z.string().nullish(),
  mergeable: z.boolean().nullish(),
  mergeable_state: z.string().nullish(),
  head: z.object({ ref: z.string(), sha: z.string(), repo: z.object({ full_name: z.string() }).nullish() }),
  base: z.object({ ref: z.string() }),
});
export type Pull = z.infer<typeof pull>;

export const isMerged = ({ merged_at }: Pull): boolean => typeof merged_at === 'string';

const request = inRun.extend({
  branch: z.string().min(1),
  base: z.string().min(1),
  draft: z.boolean(),
  metricsBefore: metrics.nullable(),
  metrics: metrics.nullable(),
  costUsd: z.number().min(0).nullable(),
  /** Of the files, the first few. Runs of before do not tell it. */
  change: diffStat.extend({ paths: z.array(z.string()) }).optional(),
  tests: z.enum(['running', 'passed', 'failed']).nullable(),
  link: z.url({ protocol: /^https?$/ }).nullable(),
  issue: z.int().positive().nullable(),
});
type Request = z.infer<typeof request>;

/** `merged` and `closed`: somebody did that to the one that this run opened; it is left alone. */
const result = z.object({
  outcome: z.enum(['opened', 'updated', 'unchanged', 'merged', 'closed']),
  number: z.int(),
  url: z.string(),
});

/** A pull request for the task's branch: opened once, told anew in its own place, its title and the words around left to people. */
export const pullRequest = githubComponent({
  request,
  result,
  act: async (asked, repository, { environment }): Promise<z.infer<typeof result>> => {
    const { title, description, source } = await environment.readTask(asked.taskId);
    const issue = asked.issue ?? issueOf(source, decodeURIComponent(repository.name));
    const link = asked.link ?? linkToTask(environment, asked.taskId);
    const section = sectionOf(description, { ...asked, issue, link });
    const { found, isNew } = await findOrMake(
      () => findPull(repository, asked),
      () => open(repository, asked, { title: titleOf(title), body: section }),
    );
    const { number, html_url: url } = found;
    if (found.state === 'closed') return { outcome: isMerged(found) ? 'merged' : 'closed', number, url };
    const body = withSection(found.body ?? null, section);
    if (body === plain(found.body ?? '')) return { outcome: isNew ? 'opened' : 'unchanged', number, url };
    repository.read(await repository.change('PATCH', `/pulls/${number}`, { body }), pull);
    return { outcome: 'updated', number, url };
  },
});

/** The open one of the branch; else the one that this very run opened, whatever became of it. */
async function findPull(repository: GithubRepository, asked: Request): Promise<Pull | null> {
  const ours = await pullsOf(repository, asked.branch);
  const opened = ours.filter(({ state }) => state === 'open');
  return (
    opened.find(({ body }) => isOfTask(body ?? null, asked)) ??
    opened.find(({ base }) => base.ref === asked.base) ??
    ours.find(({ body }) => isOfRun(body ?? null, asked)) ??
    null
  );
}

/** Of a branch, the newest first. */
async function pullsOf(repository: GithubRepository, branch: string): Promise<Pull[]> {
  const head = encodeURIComponent(`${decodeURIComponent(repository.owner)}:${branch}`);
  const path = `/pulls?state=all&head=${head}&sort=created&direction=desc&per_page=100`;
  const listed = await repository.list(path, z.array(pull), (page) => page);
  // A head that GitHub does not understand filters nothing.
  return listed.filter(({ head: { ref, repo } }) => ref === branch && isHere(repository, repo?.full_name));
}

const isHere = ({ name }: GithubRepository, fullName: string | undefined): boolean =>
  fullName === undefined || fullName.toLowerCase() === decodeURIComponent(name).toLowerCase();

async function open(
  repository: GithubRepository,
  asked: Request,
  words: { readonly title: string; readonly body: string },
): Promise<Pull> {
  const { branch, base, draft } = asked;
  const answer = await repository.change('POST', '/pulls', { ...words, head: branch, base, draft });
  if (answer.status !== 422) return repository.read(answer, pull);
  const { words: said } = refusalOf(answer);
  if (/already exists/i.test(said)) {
    const there = await findPull(repository, asked);
    if (there !== null) return there;
  }
  if (/no commits between/i.test(said)) refuse(repository.step, `nothing to merge: ${said}`);
  // A branch that was pushed just now is not yet seen everywhere.
  if (/\bhead (invalid|missing)/i.test(said))
    throw new ComponentFailure(failureOf(repository.step, `GitHub does not see branch "${branch}" (${said})`), {
      retryable: true,
      fault: 'origin',
    });
  return refused(repository.step, answer, repository.name);
}

const ofPull = inRun.extend({ number: z.int().positive() });

/** Closes the pull request where it is open. Whose number is not known is looked for by its branch. */
export const close = githubComponent({
  request: inRun.extend({ number: z.int().positive().nullable(), branch: z.string().min(1).optional() }),
  result: z.object({
    outcome: z.enum(['closed', 'closed-before', 'merged', 'absent']),
    /** Results of before do not tell it. */
    number: z.int().nullable().optional(),
    /** Of the base branch, where it is merged. */
    mergeCommit: z.string().nullish(),
  }),
  act: async ({ number, branch, ...run }, repository) => {
    const now =
      number !== null
        ? await repository.find(`/pulls/${number}`, pull)
        : ((await pullsOf(repository, branch ?? '')).find(({ body }) => isOfRun(body ?? null, run)) ?? null);
    if (now === null) return { outcome: 'absent' as const, number };
    if (isMerged(now))
      return { outcome: 'merged' as const, number: now.number, mergeCommit: now.merge_commit_sha ?? null };
    if (now.state === 'closed') return { outcome: 'closed-before' as const, number: now.number };
    const answer = await repository.change('PATCH', `/pulls/${now.number}`, { state: 'closed' });
    repository.read(answer, pull);
    return { outcome: 'closed' as const, number: now.number };
  },
});

export const pullStateResult = z.object({
  state: z.enum(['open', 'closed', 'merged']),
  head: z.string(),
  base: z.string(),
  draft: z.boolean(),
  /** Null: GitHub is still finding out. */
  mergeable: z.boolean().nullable(),
  /** GitHub's word for what keeps it from being merged, such as `blocked` or `behind`. */
  mergeableState: z.string().nullable(),
  /** Of the base branch, once it is merged. */
  mergeCommit: z.string().nullable(),
});

/** How the pull request stands. */
export const pullState = githubComponent({
  request: ofPull,
  result: pullStateResult,
  act: ({ number }, repository) => readPull(repository, number),
});

export async function readPull(repository: GithubRepository, number: number): Promise<z.infer<typeof pullStateResult>> {
  const now = await repository.get(`/pulls/${number}`, pull);
  const merged = isMerged(now);
  return {
    state: merged ? 'merged' : now.state,
    head: now.head.sha,
    base: now.base.ref,
    draft: now.draft ?? false,
    mergeable: now.mergeable ?? null,
    mergeableState: now.mergeable_state ?? null,
    // Before the merge it names a try that GitHub made for itself.
    mergeCommit: merged ? (now.merge_commit_sha ?? null) : null,
  };
}
