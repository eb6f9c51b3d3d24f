import { git } from '../repository/git.ts';

/** The branches of a real repository, for a fake GitHub that is to know what was pushed there. */
export function gitBranches(origin: string): Map<string, string> {
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
