import type { Component } from '../../engine/component.ts';
import { branchHead, ensureCommits, fetchOrigin } from '../git/commits.ts';
import { branchRef, resultRef, taskRefs } from '../git/names.ts';
import { pushRef } from '../git/push.ts';
import { isWithin, publishedLabel } from './branch-ownership.ts';
import type { CodeEnvironment } from './environment.ts';
import { refuse } from './failures.ts';
import { inAttempt } from './in-attempt.ts';
import type { PublishRequest, PublishResult } from './requests.ts';

/** Puts the commit on a branch of the origin. A branch with other people's commits is left alone. */
export const createPublish = (environment: CodeEnvironment): Component<PublishRequest, PublishResult> => ({
  name: 'code.publish',
  perform: (request, context) =>
    inAttempt(environment, 'publish', request, context, async ({ repository, mirror, signal }) => {
      const { taskId, branch, commit } = request;
      const ref = branchRef(branch);
      if (branch === repository.baseBranch) return refuse('publish', `"${branch}" is the base branch`);
      await fetchOrigin(mirror, taskId, signal);
      await ensureCommits(mirror, taskId, [commit], signal);
      const now = await branchHead(mirror, branch);
      if (now !== null && now !== commit && !(await isWithin(mirror, taskRefs(taskId), now)))
        return refuse('publish', `branch "${branch}" has commits that are not of this task (${now}): move it away`);
      const kept = resultRef(request, publishedLabel(commit));
      await pushRef(mirror, { ref: kept, to: commit, expected: 'any', signal });
      if (now !== commit)
        await pushRef(mirror, { ref, to: commit, expected: now === null ? 'none' : { commit: now }, signal });
      return { branch, commit };
    }),
});
