import { describe, expect, it } from 'vitest';
import {
  backAtWork,
  B,
  claimed,
  evolve,
  evolving,
  generated,
  judgement,
  plan,
  publish,
  reference,
  work,
} from './testing.ts';

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
    run.succeeds('evolve/1/1/judge-start', judgement(B));
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
      run.fails(`publish/1/${attempt}/publish`, true, 'killed', null, { fault: 'work' });
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

describe('a limit of use', () => {
  const limit = { fault: 'limit', until: '2026-01-01T02:00:00.000Z' } as const;
  const words = 'Claude AI usage limit reached';

  it('lets the agent rest, then gives the task back in the agent’s words: nothing is told of the work', () => {
    const run = generating();
    run.fails('generate/1/1/work', true, words, 1, limit);
    expect(run.open()).toEqual(['generate/1/1/rest']);
    const agentId = run.state().facts.claim?.agentId;
    expect(run.requested('generate/1/1/rest')).toMatchObject({
      ...{ type: 'agent.rest', target: agentId, data: { until: limit.until, reason: words } },
    });
    run.succeeds('generate/1/1/rest');
    expect(run.requested('generate/1/1/release')).toMatchObject({
      ...{ type: 'task.release', target: run.taskId, data: { claimId: run.claimId, reason: words, limit: true } },
    });
    run.succeeds('generate/1/1/release');
    expect(run.open()).toEqual([]);
    run.receives('task', run.taskId, 'TaskClaimReleased', {
      claimId: run.claimId,
      agentId,
      reason: words,
      limit: true,
    });
    expect(run.requested('undo/generate/1/cancel')).toMatchObject({
      ...{ type: 'generation.cancel', data: { reason: words } },
    });
    run.succeeds('undo/generate/1/cancel');
    run.succeeds('undo/prepare/1/cleanup');
    expect(run.ended()).toBe('cancelled');
    expect(run.requested('generate/1/1/note')).toBeUndefined();
    expect(run.requested('end/1/fail')).toBeUndefined();
    expect(run.state().facts.costUsd).toBeNull();
  });

  it('ends the run as a failure where the task cannot be given back', () => {
    const run = generating();
    run.fails('generate/1/1/work', true, words, 1, { fault: 'limit' });
    expect(run.requested('generate/1/1/rest')).toMatchObject({ data: { until: null } });
    run.succeeds('generate/1/1/rest');
    run.fails('generate/1/1/release', false, 'illegal-transition');
    expect(run.open()).toEqual(['undo/generate/1/cancel']);
  });

  it('of who improves is told of that agent, and only its candidate failed', () => {
    const improver = '0198c0de-0000-7000-8000-00000000000a';
    const { run } = evolving({}, { improver });
    run.fails('evolve/1/1/candidate-1.2');
    run.succeeds('evolve/1/1/record-1.2');
    run.fails('evolve/1/1/candidate-1.1', true, words, 1, limit);
    expect(run.open()).toEqual(['evolve/1/1/rest-1.1']);
    expect(run.requested('evolve/1/1/rest-1.1')).toMatchObject({ type: 'agent.rest', target: improver });
    run.succeeds('evolve/1/1/rest-1.1');
    expect(run.open()).toEqual(['evolve/1/1/record-1.1']);
  });
});

it('the failing tests stay what is wrong with work that its agent then did not change', () => {
  const run = backAtWork();
  for (const attempt of [1, 2]) {
    run.succeeds(`generate/2/${attempt}/start`);
    expect(run.requested(`generate/2/${attempt}/work`)).toMatchObject({
      request: { prompt: { feedback: { reason: 'tests fail', log: reference } } },
    });
    run.fails(`generate/2/${attempt}/work`, true, 'the agent changed nothing');
    run.succeeds(`generate/2/${attempt}/note`);
    if (attempt === 1) run.succeeds('generate/2/1/retry');
  }
  run.succeeds('undo/generate/1/cancel');
  run.succeeds('undo/publish/1/delete-branch');
  run.succeeds('undo/prepare/1/cleanup');
  expect(run.requested('end/1/fail')).toMatchObject({
    data: {
      failure: {
        step: 'test',
        reason: 'tests fail. It was sent back, and then: the agent changed nothing',
        command: ['npm', 'test'],
        lastLines: ['x'],
        log: reference,
      },
    },
  });
});
