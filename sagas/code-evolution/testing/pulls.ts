import { B, claimed, generated, plan, publish, reference, validated, type Run } from '../testing.ts';

export const url = 'https://github.com/acme/sample/pull/7';
const byPull = {
  ...plan,
  merge: 'pull-request',
  pullRequest: { mergedBy: 'person', method: 'squash', pollSeconds: 30 },
};
export const mergedByUs = { ...byPull, pullRequest: { ...byPull.pullRequest, mergedBy: 'workledger' } };

export function prepare(run: Run, prepared: object = byPull): void {
  run.succeeds('prepare/1/1/prepare', prepared);
}

/** Published, offered, and its tests run. */
export function opened(run: Run, round = 1, outcome = 'opened'): void {
  publish(run, round);
  run.succeeds(`open-pull-request/${round}/1/open`, { outcome, number: 7, url });
  run.succeeds(`open-pull-request/${round}/1/note`);
  run.succeeds(`open-pull-request/${round}/1/check`, { outcome: 'made', as: 'status' });
}

export function begun(run: Run, round = 1): void {
  run.succeeds(`await-merge/${round}/1/tell`, { outcome: 'updated', number: 7, url });
  run.succeeds(`await-merge/${round}/1/check`, { outcome: 'updated', as: 'status' });
  run.succeeds(`await-merge/${round}/1/free`);
}

/** A run whose tests have passed, and that waits for its pull request. */
export function waits(prepared: object = byPull, budget?: { limitUsd: number; spentUsd: number }): Run {
  const run = claimed('command', 'sample', budget && { budget });
  prepare(run, prepared);
  generated(run);
  opened(run);
  validated(run, 1, 'passed');
  begun(run);
  return run;
}

export const open = {
  ...{ state: 'open', head: B, base: 'main', draft: false, mergeable: true, mergeableState: 'clean' },
  ...{ mergeCommit: null, checks: { state: 'pending', failed: [] }, failure: null, wanted: null },
};
export const green = { ...open, checks: { state: 'passed', failed: [] } };
export const behind = { ...green, mergeableState: 'behind' };
export const red = (signature: string) => ({
  ...open,
  checks: { state: 'failed', failed: ['ci'] },
  failure: { signature, report: reference },
});
export const look = (run: Run, number: number, seen: object, round = 1) =>
  run.succeeds(`await-merge/${round}/1/look-${number}`, seen);
export const pauseOver = (run: Run, number: number, round = 1) =>
  run.succeeds(`await-merge/${round}/1/pause-${number}`);

export function toItsEnd(run: Run): void {
  for (let step = 0; run.ended() === null && step < 30; step++) for (const key of run.open()) run.succeeds(key);
}

/** Sent back, written anew as this commit, offered and judged. */
export function again(run: Run, round: number, commit: string): void {
  run.succeeds(`await-merge/${round - 1}/1/send-back`);
  generated(run, round, commit);
  run.succeeds(`publish/${round}/1/publish`, { branch: 'workledger/x', commit });
  run.succeeds(`open-pull-request/${round}/1/open`, { outcome: 'updated', number: 7, url });
  run.succeeds(`open-pull-request/${round}/1/note`);
  run.succeeds(`open-pull-request/${round}/1/check`, { outcome: 'made', as: 'status' });
  validated(run, round, 'passed');
  begun(run, round);
}
