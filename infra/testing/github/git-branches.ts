import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { untilTrue } from '../processes/until.ts';
import { git } from '../repository/git.ts';
import type { FakeRepository } from './state.ts';

/** The branches of a real repository, for a fake GitHub that is to know what was pushed there. */
function gitBranches(origin: string): Map<string, string> {
  const find = (branch: string): string | undefined => {
    const found = git(origin, 'for-each-ref', '--format=%(objectname)', `refs/heads/${branch}`);
    return found === '' ? undefined : found;
  };
  const branches = new Map<string, string>();
  return Object.assign(branches, {
    get: find,
    has: (branch: string) => find(branch) !== undefined,
    set: (branch: string, commit: string) => {
      git(origin, 'update-ref', `refs/heads/${branch}`, commit);
      return branches;
    },
    delete: (branch: string) => {
      const isThere = find(branch) !== undefined;
      if (isThere) git(origin, 'update-ref', '-d', `refs/heads/${branch}`);
      return isThere;
    },
  });
}

/** What a fake GitHub knows of a real repository: its branches, and that a merge moves the base to the head. */
export const standsFor = (origin: string): Pick<FakeRepository, 'branches' | 'onMerge' | 'isUpToDate'> => ({
  branches: gitBranches(origin),
  onMerge: ({ head }) => git(origin, 'rev-parse', `refs/heads/${head}`),
  isUpToDate: ({ head, base }) => git(origin, 'rev-list', '--count', `refs/heads/${head}..refs/heads/${base}`) === '0',
});

/** Counts pushes from now on. @returns how often this branch was pushed to */
export function countPushes(origin: string): (branch: string) => number {
  const told = join(origin, 'pushed');
  writeFileSync(told, '');
  writeFileSync(join(origin, 'hooks', 'update'), `#!/bin/sh\necho "$1" >> '${told}'\n`, { mode: 0o755 });
  return (branch) =>
    readFileSync(told, 'utf8')
      .split('\n')
      .filter((ref) => ref === `refs/heads/${branch}`).length;
}

/** Waits until the work of a task has passed its tests, and its pull request shows a commit that is not this one. @returns that commit */
export async function passedBeside(
  { branches, statuses, checkRuns }: FakeRepository,
  taskId: string,
  before: string | null,
  seconds = 60,
): Promise<string> {
  let head = '';
  await untilTrue(() => {
    head = branches.get(`workledger/${taskId}`) ?? '';
    const isOurs = ({ sha, context, state }: FakeRepository['statuses'][number]): boolean =>
      sha === head && context === 'workledger' && state === 'success';
    // Of an App it is a check run.
    const isPassed = checkRuns.some((run) => run['head_sha'] === head && run['conclusion'] === 'success');
    return Promise.resolve(head !== '' && head !== before && (isPassed || statuses.some(isOurs)));
  }, seconds);
  return head;
}
