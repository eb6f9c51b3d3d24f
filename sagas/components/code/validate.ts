import type { Component } from '../../engine/component.ts';
import { ensureCommits } from '../git/commits.ts';
import { resultOf } from '../git/names.ts';
import { pushRef } from '../git/push.ts';
import { restorePaths } from '../git/make-commit.ts';
import type { CodeEnvironment } from './environment.ts';
import { inAttempt } from './in-attempt.ts';
import type { ValidateRequest, ValidateResult } from './requests.ts';
import { failureOfRuns, reportOf, runCommands } from './run-command.ts';
import { shortened } from './shortened.ts';

/** Runs `setup` and `test` in a clean worktree of the commit, protected paths as they are in the base. A failing test is a result. */
export const createValidate = (environment: CodeEnvironment): Component<ValidateRequest, ValidateResult> => ({
  name: 'code.validate',
  perform: (request, context) =>
    inAttempt(environment, 'validate', request, context, async (code) => {
      const { mirror, signal, repository } = code;
      const { commit, base } = request;
      await ensureCommits(mirror, request.taskId, [commit, base], signal);
      const judged = await restorePaths(mirror, { commit, base, pathspecs: repository.protectedPaths, signal });
      const ref = resultOf(request, 'judged', judged.commit);
      if (judged.commit !== commit) await pushRef(mirror, { ref, to: judged.commit, expected: 'any', signal });
      const worktree = await code.checkout('validate', judged.commit);
      const runs = await runCommands(code, worktree, [
        { step: 'setup', command: repository.setup },
        { step: 'test', command: repository.test },
      ]);
      const changes = judged.changed.map((path) => `protected path restored from the base: ${path}\n`).join('');
      const head = Buffer.from(`commit ${commit}, base ${base}\n${changes}\n`);
      const report = Buffer.concat([head, reportOf(runs)]);
      const stored = await code.environment.artefacts.put(report, 'text/plain; charset=utf-8');
      return {
        report: stored,
        commit: judged.commit,
        protectedChanges: shortened(judged.changed),
        failure: failureOfRuns(runs, stored),
      };
    }),
});
