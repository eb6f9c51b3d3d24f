import { B, claimed, generated, plan, publish, validated, type Run } from '../testing.ts';

/** A run that passed its tests and is about to merge. */
export function ready(prepared: object = plan, runtime: 'command' | 'remote' = 'command'): Run {
  const run = claimed(runtime);
  run.succeeds('prepare/1/1/prepare', prepared);
  if (runtime === 'command') generated(run);
  else {
    run.receives('task', run.taskId, 'TaskWorkSubmitted', { claimId: run.claimId, commit: B });
    run.succeeds('await-work/1/1/inspect', {});
  }
  publish(run);
  validated(run, 1, 'passed', runtime === 'command');
  return run;
}

export const moved = (base: string) => ({ outcome: 'base-moved', commit: B, base });
