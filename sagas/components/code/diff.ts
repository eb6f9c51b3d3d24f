import type { Component } from '../../engine/component.ts';
import { ensureCommits } from '../git/commits.ts';
import type { CodeEnvironment } from './environment.ts';
import { inAttempt } from './in-attempt.ts';
import type { DiffRequest, DiffResult } from './requests.ts';
import { storeDiff } from './store-diff.ts';

/** What changed from base to commit, in all. */
export const createDiff = (environment: CodeEnvironment): Component<DiffRequest, DiffResult> => ({
  name: 'code.diff',
  perform: (request, context) =>
    inAttempt(environment, 'diff', request, context, async (code) => {
      await ensureCommits(code.mirror, request.taskId, [request.commit, request.base], code.signal);
      return storeDiff(code, 'diff', request.base, request.commit);
    }),
});
