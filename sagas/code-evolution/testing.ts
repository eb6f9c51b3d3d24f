import { newId } from '@workledger/shared/contexts/stream.ts';
import { scenario, type Scenario } from '../engine/testing/scenario.ts';
import { codeEvolution } from './code-evolution.ts';
import { idInRun } from './steps/run.ts';
import type { Facts } from './facts.ts';
import type { PipelineState } from '../pipeline/definition.ts';

export const [A, B, C, D] = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(40)) as [string, string, string, string];
export const reference = { digest: 'e'.repeat(64), size: 1, mediaType: 'text/plain' };
export const diffStat = { files: 1, insertions: 1, deletions: 0 };
export const plan = {
  base: A,
  merge: 'fast-forward',
  evaluates: false,
  evolve: null,
  improver: null,
  timeouts: { agent: 60, check: 60 },
};
export const evolve = {
  metric: 'ms',
  direction: 'minimize',
  candidates: 2,
  generations: 1,
  target: null,
  budgetUsd: null,
  patience: 1,
};
export const work = (commit: string, metrics: object | null = null) => ({
  commit,
  diffStat,
  diff: reference,
  prompt: reference,
  output: reference,
  exitCode: 0,
  costUsd: 0.5,
  durationMs: 5,
  metrics,
});

export type Run = Scenario<PipelineState<Facts>> & { taskId: string; claimId: string };

export function claimed(
  runtime: 'command' | 'remote' = 'command',
  repository: string | null = 'sample',
  more: object = {},
): Run {
  const ids = { taskId: newId(), claimId: newId() };
  const run = { ...scenario(codeEvolution), ...ids };
  run.receives('task', ids.taskId, 'TaskClaimed', {
    claimId: ids.claimId,
    agentId: newId(),
    runtime,
    repository,
    leaseSeconds: 60,
    ...more,
  });
  return run;
}

export function generated(run: Run, round = 1, commit = B): void {
  run.succeeds(`generate/${round}/1/request`);
  run.succeeds(`generate/${round}/1/start`);
  run.succeeds(`generate/${round}/1/work`, work(commit));
  run.succeeds(`generate/${round}/1/note`);
}

export function validated(
  run: Run,
  round: number,
  verdict: 'passed' | 'back-to-work' | 'failed',
  submits = true,
  judged?: string,
): void {
  if (submits) run.succeeds(`validate/${round}/1/submit`);
  run.succeeds(`validate/${round}/1/request`);
  const failure =
    verdict === 'passed'
      ? null
      : { step: 'test', reason: 'tests fail', command: ['npm', 'test'], exitCode: 1, lastLines: ['x'], log: reference };
  run.succeeds(`validate/${round}/1/validate`, {
    report: reference,
    commit: judged ?? run.state().facts.commit,
    protectedChanges: [],
    failure,
  });
  run.succeeds(`validate/${round}/1/judge`);
  const id = idInRun(run.state().facts, 'validation', String(round));
  if (verdict === 'passed') run.receives('validation', id, 'ValidationPassed', {});
  else run.receives('validation', id, 'ValidationFailed', { verdict });
}

export const publish = (run: Run, round = 1) =>
  run.succeeds(`publish/${round}/1/publish`, { branch: 'workledger/x', commit: B });
