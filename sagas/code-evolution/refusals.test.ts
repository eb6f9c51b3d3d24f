import { describe, expect, it } from 'vitest';
import { B, claimed, evolve, generated, plan, publish, work } from './testing.ts';

type Run = ReturnType<typeof claimed>;

const origin = { fault: 'origin' } as const;

function generating(): Run {
  const run = claimed();
  run.succeeds('prepare/1/1/prepare', plan);
  run.succeeds('generate/1/1/request');
  run.succeeds('generate/1/1/start');
  return run;
}

/** Seconds until the timer of a retry is due, which begins at the scenario's own time. */
function pauseOf(run: Run, key: string): number {
  const timer = run.requested(key) as { dueAt: string };
  return (Date.parse(timer.dueAt) - Date.parse('2026-01-01T00:00:00Z')) / 1_000;
}

describe('a refusal of the origin', () => {
  it('for good ends the run: the agent is run once', () => {
    const run = generating();
    run.fails('generate/1/1/work', false, 'the origin refuses', 1, origin);
    run.succeeds('generate/1/1/note');
    expect(run.open()).toEqual(['undo/generate/1/cancel']);
    expect(run.requested('generate/1/2/work')).toBeUndefined();
  });

  it('that passes is waited for up to a day, with pauses up to ten minutes, and then the run fails', () => {
    const run = claimed();
    run.succeeds('prepare/1/1/prepare', plan);
    generated(run);
    let seconds = 0;
    let attempt = 1;
    for (; run.ended() === null && run.open()[0] === `publish/1/${attempt}/publish`; attempt++) {
      run.fails(`publish/1/${attempt}/publish`, true, 'no connection', 128, origin);
      const retry = `publish/1/${attempt}/retry`;
      if (!run.open().includes(retry)) break;
      const pause = pauseOf(run, retry);
      expect(pause).toBeLessThanOrEqual(750);
      seconds += pause / 0.75;
      run.succeeds(retry);
    }
    // The pauses of the scenario are the shortest that chance allows.
    expect(seconds / 3_600).toBeGreaterThan(23);
    expect(seconds / 3_600).toBeLessThan(25);
    expect(run.open()).toEqual(['undo/publish/1/delete-branch']);
  });

  it('before the agent began is no attempt of the agent’s: its generation is not told, and it has both of its own', () => {
    const run = generating();
    for (const attempt of [1, 2, 3]) {
      run.fails(`generate/1/${attempt}/work`, true, 'no connection', 128, origin);
      run.succeeds(`generate/1/${attempt}/retry`);
      expect(run.requested(`generate/1/${attempt + 1}/start`)).toMatchObject({ data: { attempt: 1 } });
      run.succeeds(`generate/1/${attempt + 1}/start`);
    }
    run.fails('generate/1/4/work', true, 'exit code 1', 1, { fault: 'work' });
    run.succeeds('generate/1/4/note');
    run.succeeds('generate/1/4/retry');
    expect(run.requested('generate/1/5/start')).toMatchObject({ data: { attempt: 2 } });
    run.succeeds('generate/1/5/start');
    run.fails('generate/1/5/work', true, 'exit code 1', 1, { fault: 'work' });
    run.succeeds('generate/1/5/note');
    expect(run.open()).toEqual(['undo/generate/1/cancel']);
  });

  it('while the start is measured sends nothing back to the agent', () => {
    const run = claimed();
    run.succeeds('prepare/1/1/prepare', { ...plan, evolve });
    generated(run);
    run.fails('evolve/1/1/baseline', true, 'no connection', 128, origin);
    expect(run.open()).toEqual(['evolve/1/1/retry']);
    run.succeeds('evolve/1/1/retry');
    run.fails('evolve/1/2/baseline', false, 'no such repository', 128, origin);
    expect(run.open()).toEqual(['undo/evolve/1/cancel']);
  });

  it('is told from a failure of the work, which has few attempts', () => {
    const run = claimed();
    run.succeeds('prepare/1/1/prepare', plan);
    generated(run);
    for (let attempt = 1; attempt <= 8; attempt++) {
      run.fails(`publish/1/${attempt}/publish`, true, 'killed', null, { fault: 'component' });
      if (attempt < 8) run.succeeds(`publish/1/${attempt}/retry`);
    }
    expect(run.open()).toEqual(['undo/publish/1/delete-branch']);
  });

  it('does not hinder what comes after it has passed', () => {
    const run = generating();
    run.fails('generate/1/1/work', true, 'no connection', 128, origin);
    run.succeeds('generate/1/1/retry');
    run.succeeds('generate/1/2/start');
    run.succeeds('generate/1/2/work', work(B));
    expect(run.requested('generate/1/2/note')).toMatchObject({ type: 'generation.succeed', data: { attempt: 1 } });
    run.succeeds('generate/1/2/note');
    publish(run);
    expect(run.open()).toEqual(['validate/1/1/submit']);
  });
});
