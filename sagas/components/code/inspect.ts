import type { Component } from '../../engine/component.ts';
import { ensureCommits, hasCommit, isAncestor, treeOf, fetchOrigin } from '../git/commits.ts';
import { GitFailure } from '../git/git.ts';
import { resultOf } from '../git/names.ts';
import { pushRef } from '../git/push.ts';
import type { CodeEnvironment } from './environment.ts';
import { refuse } from './failures.ts';
import { inAttempt } from './in-attempt.ts';
import type { InspectRequest, InspectResult } from './requests.ts';
import { storeDiff } from './store-diff.ts';

/** Checks a commit that a remote agent left in the origin: it is there, descends from the base and changes something. Kept for the run. */
export const createInspect = (environment: CodeEnvironment): Component<InspectRequest, InspectResult> => ({
  name: 'code.inspect',
  perform: (request, context) =>
    inAttempt(environment, 'inspect', request, context, async (code) => {
      const { mirror, signal } = code;
      const { taskId, commit, base } = request;
      await fetchOrigin(mirror, taskId, signal);
      await ensureCommits(mirror, taskId, [base], signal);
      await ensureCommits(mirror, taskId, [commit], signal).catch((error: unknown) => {
        if (!(error instanceof GitFailure)) throw error;
      });
      if (!(await hasCommit(mirror, commit)))
        return refuse('inspect', `commit ${commit} is not in the origin: push it to a branch first`);
      if (!(await isAncestor(mirror, base, commit)))
        return refuse('inspect', `commit ${commit} does not descend from ${base}, where the work started`);
      if ((await treeOf(mirror, base)) === (await treeOf(mirror, commit)))
        return refuse('inspect', `commit ${commit} changes nothing`);
      const ref = resultOf(request, 'inspected', commit);
      await pushRef(mirror, { ref, to: commit, expected: 'any', signal });
      return storeDiff(code, 'inspect', base, commit);
    }),
});
