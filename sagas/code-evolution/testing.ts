import { derivedId, newId } from '@workledger/shared/contexts/stream.ts';
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
  baseBranch: 'main',
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
  measurements: 3,
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

export const testsFail = {
  step: 'test',
  reason: 'tests fail',
  command: ['npm', 'test'],
  exitCode: 1,
  lastLines: ['x'],
  log: reference,
};
/** The answer of `code.validate`. */
export const judgement = (commit: string, failure: typeof testsFail | null = null) => ({
  report: reference,
  commit,
  protectedChanges: [],
  failure,
});
/** The answer of `code.evaluate`. */
export const measurement = (ms: number) => ({ metrics: { ms }, output: reference });
/** The answer of `code.compare`. */
export const compared = (start: readonly number[], winner: readonly number[]) => ({
  start: start.map((ms) => ({ ms })),
  winner: winner.map((ms) => ({ ms })),
  output: reference,
});

/** A run whose evolution of two candidates has begun from B; tells the evolution's id. */
export function evolving(changes: Partial<typeof evolve> = {}, more: object = {}): { run: Run; id: string } {
  const run = claimed();
  run.succeeds('prepare/1/1/prepare', { ...plan, ...more, evolve: { ...evolve, ...changes } });
  generated(run);
  run.succeeds('evolve/1/1/judge-start', judgement(B));
  run.succeeds('evolve/1/1/baseline', measurement(9));
  run.succeeds('evolve/1/1/start');
  const id = idInRun(run.state().facts, 'evolution');
  run.receives('evolution', id, 'EvolutionStarted', { base: B, baseline: { ms: 9 } });
  run.receives('evolution', id, 'EvolutionGenerationOpened', { generation: 1, parent: B, candidates: ['1.1', '1.2'] });
  return { run, id };
}

/** A candidate's way: written, good, measured, told. */
export function candidate(run: Run, id: string, commit: string, ms: number): void {
  run.succeeds(`evolve/1/1/candidate-${id}`, work(commit));
  run.succeeds(`evolve/1/1/judge-${id}`, judgement(commit));
  run.succeeds(`evolve/1/1/measure-${id}`, measurement(ms));
  run.succeeds(`evolve/1/1/record-${id}`);
}

/** Evolution is over: these were better than the start, best first. */
export function evolved(run: Run, id: string, ...ranking: readonly { id: string; commit: string }[]): void {
  const ranked = ranking.map((one) => ({ ...one, metrics: { ms: 3 } }));
  const best = ranked[0] ?? null;
  run.receives('evolution', id, 'EvolutionCompleted', { commit: best?.commit ?? B, best, ranking: ranked });
}

export function validated(
  run: Run,
  round: number,
  verdict: 'passed' | 'back-to-work' | 'failed',
  submits = true,
  judged?: string,
  more: object = {},
): void {
  if (submits) run.succeeds(`validate/${round}/1/submit`);
  run.succeeds(`validate/${round}/1/request`);
  const commit = judged ?? run.state().facts.commit ?? '';
  run.succeeds(`validate/${round}/1/validate`, {
    ...judgement(commit, verdict === 'passed' ? null : testsFail),
    ...more,
  });
  run.succeeds(`validate/${round}/1/judge`);
  const id = idInRun(run.state().facts, 'validation', String(round));
  if (verdict === 'passed') run.receives('validation', id, 'ValidationPassed', {});
  else run.receives('validation', id, 'ValidationFailed', { verdict });
}

/** Its tests failed once, and the work went back: it is asked for again. */
export function backAtWork(): Run {
  const run = claimed();
  run.succeeds('prepare/1/1/prepare', plan);
  generated(run);
  publish(run);
  validated(run, 1, 'back-to-work');
  run.succeeds('validate/1/1/send-back');
  run.succeeds('generate/2/1/request');
  return run;
}

const queueId = derivedId('merge-queue', 'sample', 'main');

/** Its turn to be put onto a base that moved comes. */
export const turnBegins = (run: Run) =>
  run.receives('merge-queue', queueId, 'MergeTurnBegan', { taskId: run.taskId, runId: run.claimId });

/** Its turn to merge comes. */
export function turn(run: Run, round = 1, place = ''): void {
  run.succeeds(`merge/${round}/1/enter${place}`);
  turnBegins(run);
}

/** A person takes its turn away. */
export const released = (run: Run) =>
  run.receives('merge-queue', queueId, 'MergeTurnEnded', {
    ...{ taskId: run.taskId, runId: run.claimId },
    ...{ outcome: 'released', reason: 'it stood still' },
  });

/** Under its turn: rebased onto `base`, published, judged. */
export function judgedOnTop(
  run: Run,
  round: number,
  { commit, base }: { commit: string; base: string },
  fails = false,
) {
  const name = (what: string): string => `merge/1/1/${what}${round === 1 ? '' : `-${round}`}`;
  run.succeeds(name('rebase'), { outcome: 'rebased', commit, base });
  run.succeeds(name('publish'), { branch: 'workledger/x', commit });
  run.succeeds(name('request'));
  const failure = fails ? testsFail : null;
  run.succeeds(name('validate'), { report: reference, commit, protectedChanges: [], failure });
  run.succeeds(name('judge'));
}

export const publish = (run: Run, round = 1) =>
  run.succeeds(`publish/${round}/1/publish`, { branch: 'workledger/x', commit: B });
