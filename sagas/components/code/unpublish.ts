import type { Component } from '../../engine/component.ts';
import { branchHead, fetchOrigin } from '../git/commits.ts';
import { branchRef } from '../git/names.ts';
import { pushRef } from '../git/push.ts';
import { isOfRun } from './branch-ownership.ts';
import type { CodeEnvironment } from './environment.ts';
import { refuse } from './failures.ts';
import { inAttempt } from './in-attempt.ts';
import type { UnpublishRequest, UnpublishResult } from './requests.ts';

/** Deletes the branch that was published. One that is gone is done; one with the commits of other people or of another run stays. */
export const createUnpublish = (environment: CodeEnvironment): Component<UnpublishRequest, UnpublishResult> => ({
  name: 'code.unpublish',
  perform: (request, context) =>
    inAttempt(environment, 'unpublish', request, context, async ({ repository, mirror, signal }) => {
      const { taskId, branch } = request;
      if (branch === repository.baseBranch) return refuse('unpublish', `"${branch}" is the base branch`);
      await fetchOrigin(mirror, taskId, signal);
      const now = await branchHead(mirror, branch);
      if (now === null) return { outcome: 'absent' };
      if (!(await isOfRun(mirror, request, now))) return { outcome: 'kept' };
      await pushRef(mirror, { ref: branchRef(branch), to: null, expected: { commit: now }, signal });
      return { outcome: 'deleted' };
    }),
});
