import type { Component } from '../../engine/component.ts';
import { branchHead, ensureCommits, isAncestor, fetchOrigin } from '../git/commits.ts';
import { resultOf } from '../git/names.ts';
import { pushRef } from '../git/push.ts';
import { rebaseOnto } from '../git/make-commit.ts';
import type { CodeEnvironment } from './environment.ts';
import { refuse } from './failures.ts';
import { inAttempt } from './in-attempt.ts';
import type { RebaseRequest, RebaseResult } from './requests.ts';

/** Replays base..commit onto the base branch as it is now and leaves the result in the origin. */
export const createRebase = (environment: CodeEnvironment): Component<RebaseRequest, RebaseResult> => ({
  name: 'code.rebase',
  perform: (request, context) =>
    inAttempt(environment, 'rebase', request, context, async (code) => {
      const { repository, mirror, signal } = code;
      const { taskId, commit, base, label } = request;
      await fetchOrigin(mirror, taskId, signal);
      await ensureCommits(mirror, taskId, [commit, base], signal);
      const onto = await branchHead(mirror, repository.baseBranch);
      if (onto === null) return refuse('rebase', `repository has no branch "${repository.baseBranch}"`);
      const result = (await isAncestor(mirror, onto, commit))
        ? { commit }
        : await rebaseOnto(await code.checkout('rebase', commit), { from: base, onto, signal });
      if ('conflict' in result) return { outcome: 'conflict', base: onto, detail: result.conflict.slice(0, 4_000) };
      const ref = resultOf(request, label, result.commit);
      await pushRef(mirror, { ref, to: result.commit, expected: 'any', signal });
      return { outcome: 'rebased', commit: result.commit, base: onto };
    }),
});
