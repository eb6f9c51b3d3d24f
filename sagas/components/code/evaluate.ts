import type { Component } from '../../engine/component.ts';
import { ensureCommits } from '../git/commits.ts';
import type { CodeEnvironment } from './environment.ts';
import { inAttempt } from './in-attempt.ts';
import { measure } from './measure.ts';
import type { EvaluateRequest, EvaluateResult } from './requests.ts';

/** Measures a commit with the registration's `evaluate` command. */
export const createEvaluate = (environment: CodeEnvironment): Component<EvaluateRequest, EvaluateResult> => ({
  name: 'code.evaluate',
  perform: (request, context) =>
    inAttempt(environment, 'evaluate', request, context, async (code) => {
      await ensureCommits(code.mirror, request.taskId, [request.commit], code.signal);
      return measure(code, request.taskId, request.commit);
    }),
});
