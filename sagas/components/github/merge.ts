import { z } from 'zod';
import { inRun } from '../run-component.ts';
import { refused } from './answers.ts';
import { refusalOf } from './classify.ts';
import { isMerged, pull } from './pull-requests.ts';
import { findOrMake } from '@workledger/shared/outbound/find-or-make.ts';
import { githubComponent, type GithubRepository } from './repository.ts';

const request = inRun.extend({
  number: z.int().positive(),
  /** What was judged: another head is not merged. */
  commit: z.string(),
  method: z.enum(['merge', 'squash', 'rebase']),
});

/** `blocked`: reviews, checks or conflicts keep it from being merged now, as `reason` says. */
const result = z.object({
  outcome: z.enum(['merged', 'head-moved', 'blocked', 'closed']),
  commit: z.string().nullable(),
  reason: z.string().nullable(),
});
type Result = z.infer<typeof result>;

/** Merges the pull request as it was judged. Already merged: merged. */
export const merge = githubComponent({
  request,
  result,
  act: async (asked, repository) => {
    const { found } = await findOrMake(
      () => settled(repository, asked),
      () => ask(repository, asked),
    );
    return found;
  },
});

type Request = z.infer<typeof request>;

/** What stands already; null: it is open, at the commit that was judged. */
async function settled(repository: GithubRepository, { number, commit }: Request): Promise<Result | null> {
  const now = await repository.get(`/pulls/${number}`, pull);
  if (isMerged(now)) return { outcome: 'merged', commit: now.merge_commit_sha ?? null, reason: null };
  if (now.state === 'closed') return { outcome: 'closed', commit: null, reason: 'somebody closed the pull request' };
  if (now.head.sha !== commit) return { outcome: 'head-moved', commit: now.head.sha, reason: null };
  return null;
}

async function ask(repository: GithubRepository, asked: Request): Promise<Result> {
  const { number, commit, method } = asked;
  const answer = await repository.change('PUT', `/pulls/${number}/merge`, { sha: commit, merge_method: method });
  if (answer.status === 200) {
    const { sha } = repository.read(answer, z.object({ sha: z.string().nullish() }));
    return { outcome: 'merged', commit: sha ?? null, reason: null };
  }
  const { words } = refusalOf(answer);
  // Sent twice where its first answer was lost, it is refused for being merged.
  if (answer.status === 405)
    return (await settled(repository, asked)) ?? { outcome: 'blocked', commit: null, reason: words };
  if (answer.status === 409)
    return (await settled(repository, asked)) ?? { outcome: 'head-moved', commit: null, reason: words };
  return refused(repository.step, answer, repository.name);
}

const ref = z.object({ object: z.object({ sha: z.string() }) });

/** Deletes the branch where it still is at the commit: `kept`, somebody put more on it. */
export const deleteBranch = githubComponent({
  request: inRun.extend({ branch: z.string().min(1), commit: z.string() }),
  result: z.object({ outcome: z.enum(['deleted', 'absent', 'kept']) }),
  act: async ({ branch, commit }, repository) => {
    const name = branch.split('/').map(encodeURIComponent).join('/');
    const now = await repository.find(`/git/ref/heads/${name}`, ref);
    if (now === null) return { outcome: 'absent' as const };
    if (now.object.sha !== commit) return { outcome: 'kept' as const };
    const answer = await repository.change('DELETE', `/git/refs/heads/${name}`);
    if (answer.status < 300) return { outcome: 'deleted' as const };
    if (answer.status === 404 || /does not exist/i.test(refusalOf(answer).words)) return { outcome: 'absent' as const };
    return refused(repository.step, answer, repository.name);
  },
});
