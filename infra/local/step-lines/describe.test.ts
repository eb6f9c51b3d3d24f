import { describe as group, expect, it, onTestFinished, vi } from 'vitest';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { createPrinter } from './printer.ts';

const [taskId, claimId, agentId] = [newId(), newId(), newId()];
let position = 0n;

const event = (streamType: string, id: string, type: string, data: object, second = 0): RecordedEvent => ({
  id: newId(),
  type,
  data,
  version: 1,
  stream: streamName(streamType, id),
  revision: 0,
  position: ++position,
  recordedAt: new Date(Date.UTC(2026, 0, 1, 0, 0, second)),
  metadata: {
    correlationId: '',
    causationId: null,
    commandId: '',
    commandHash: '',
    actor: 'system',
    traceparent: null,
  },
});

function print(events: readonly RecordedEvent[], isTTY = false): string[] {
  let text = '';
  const printer = createPrinter({ isTTY, write: (more) => (text += more) }, () => 'claude');
  for (const each of events) printer(each);
  return text.trimEnd().split('\n');
}

const claimed = event('task', taskId, 'TaskClaimed', { claimId, agentId });
const completed = (second: number) =>
  event(
    'task',
    taskId,
    'TaskCompleted',
    {
      claimId,
      result: {
        merged: true,
        diffStat: { files: 1, insertions: 3, deletions: 2 },
        metricsBefore: { ms: 9 },
        metricsAfter: { ms: 2.5 },
        costUsd: 0.5,
        durationMs: 4000,
      },
    },
    second,
  );

const short = taskId.slice(-8);
/** Times are told where the reader is. */
const clock = (second: number): string => {
  const at = new Date(Date.UTC(2026, 0, 1, 0, 0, second));
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
};

const created = (id: string, title: string, second: number) =>
  event('task', id, 'TaskCreated', { title, priority: 3 }, second);

group('of two tasks at once', () => {
  it('each line says whose it is, and the first its title', () => {
    const other = newId();
    const lines = print([
      created(taskId, 'One', 0),
      created(other, 'Two', 1),
      { ...claimed, recordedAt: new Date(Date.UTC(2026, 0, 1, 0, 0, 2)) },
    ]);
    expect(lines).toEqual([
      `${clock(0)}     0.0 s  ${short}  task      "One" is ${taskId}`,
      `${clock(0)}     0.0 s  ${short}  task      created, priority 3`,
      `${clock(1)}     0.0 s  ${other.slice(-8)}  task      "Two" is ${other}`,
      `${clock(1)}     0.0 s  ${other.slice(-8)}  task      created, priority 3`,
      `${clock(2)}     2.0 s  ${short}  claim     claimed by claude`,
    ]);
  });

  it('an agent that was not the first to take a task is not shown, nor does its next word belong to that task', () => {
    const [lost, held] = [newId(), newId()];
    const mine = newId();
    const lines = print([
      claimed,
      event('agent', agentId, 'AgentReserved', { claimId: lost, taskId }),
      event('agent', agentId, 'AgentReleased', {
        claimId: lost,
        taskId,
        reason: 'the task could not be taken: illegal-transition',
      }),
      event('agent', agentId, 'AgentReserved', { claimId: held, taskId: mine }),
      event('task', mine, 'TaskClaimed', { claimId: held, agentId }),
      event('agent', agentId, 'AgentReleased', { claimId: held, taskId: mine, reason: 'complete' }),
      event('agent', agentId, 'AgentRested', { until: '2026-01-01T05:00:00Z', reason: 'usage limit' }),
    ]);
    expect(lines.slice(2).map((line) => line.slice(20))).toEqual([
      `${mine.slice(-8)}  task      ${mine}`,
      `${mine.slice(-8)}  claim     claimed by claude`,
      `${mine.slice(-8)}  agent     freed`,
      '          agent     rests until 2026-01-01T05:00:00Z: usage limit',
    ]);
  });

  it('that began before its printer did is called by its title, once that is looked up', () => {
    let text = '';
    const printer = createPrinter({ isTTY: false, write: (more) => (text += more) }, () => 'claude');
    printer(created(taskId, 'Old', 0), true);
    printer(event('saga-code-evolution', claimId, 'SagaInputReceived', { source: { stream: `task-${taskId}` } }), true);
    expect(text).toBe('');
    printer(event('saga-code-evolution', claimId, 'SagaStepChanged', { step: 'prepare', state: 'succeeded' }, 9));
    expect(text.split('\n').map((line) => line.slice(20))).toEqual([
      `${short}  task      "Old" is ${taskId}`,
      `${short}  prepare   repository fetched`,
      '',
    ]);
  });
});

group('the steps of a task', () => {
  it('of a candidate that failed its tests, tell which command failed and the last that it said', () => {
    const failure = { step: 'evaluate', reason: 'exit code 1', exitCode: 1, log: null };
    const tests = { ...failure, command: ['pytest', '-q'], lastLines: ['FAILED test_unique', '1 failed ', 'in 3 s'] };
    const alone = { ...failure, reason: 'the agent changed nothing', command: null, lastLines: [] };
    const of = (candidate: string, why: object): RecordedEvent =>
      event('evolution', newId(), 'CandidateFailed', { taskId, candidate, failure: why });
    expect(print([claimed, of('1.1', tests), of('1.2', alone)]).slice(-2)).toEqual([
      `${clock(0)}     0.0 s  ${short}  evolve    candidate 1.1 failed: exit code 1: pytest -q: 1 failed`,
      `${clock(0)}     0.0 s  ${short}  evolve    candidate 1.2 failed: the agent changed nothing`,
    ]);
  });

  it('are told with the time, the seconds since the task began, and the end of its id', () => {
    expect(print([claimed, completed(4)])).toEqual([
      `${clock(0)}     0.0 s  ${short}  task      ${taskId}`,
      `${clock(0)}     0.0 s  ${short}  claim     claimed by claude`,
      `${clock(4)}     4.0 s  ${short}  task      complete, merged, 1 file +3 −2, cost $0.50 (4.0 s)`,
      '                                        before ms=9',
      '                                        after  ms=2.500',
    ]);
  });

  it('the first of them tells what was measured before anything was changed', () => {
    const prepared = { metricsBefore: { ms: 9 } };
    const detail = { learned: { prepared } };
    const step = { step: 'prepare', state: 'succeeded', detail };
    const source = { source: { stream: `task-${taskId}` } };
    const lines = print([
      event('saga-code-evolution', claimId, 'SagaInputReceived', source),
      event('saga-code-evolution', claimId, 'SagaStepChanged', step),
    ]);
    expect(lines.at(-1)).toBe(`${clock(0)}     0.0 s  ${short}  prepare   repository fetched, its base measured: ms=9`);
  });

  it('belong to their task also when only the run is named', () => {
    const published = event(
      'saga-code-evolution',
      claimId,
      'SagaStepChanged',
      {
        step: 'publish',
        state: 'succeeded',
        detail: { learned: { branch: 'workledger/x' } },
      },
      3,
    );
    expect(print([claimed, published])[2]).toBe(
      `${clock(3)}     3.0 s  ${short}  publish   branch workledger/x in the origin`,
    );
  });

  it('tell of a failure what ran, how it ended, its last words and where the rest is', () => {
    const failure = {
      step: 'test',
      reason: 'exit code 1',
      command: ['npm', 'test'],
      exitCode: 1,
      lastLines: ['not ok 3'],
      log: { digest: 'd', size: 1, mediaType: 'text/plain' },
    };
    expect(
      print([event('task', taskId, 'TaskFailed', { claimId, failure })])
        .slice(1)
        .map((line) => line.trim()),
    ).toEqual([
      `${clock(0)}     0.0 s  ${short}  task      failed at test: exit code 1`,
      'command: npm test (exit code 1)',
      '| not ok 3',
      'whole log: artefact d',
    ]);
  });

  it('are painted on a terminal only, and events that nobody need see are left out', () => {
    vi.stubEnv('NO_COLOR', undefined);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(print([completed(0)], true)[1]).toContain('\u001b[32m');
    expect(print([completed(0)]).join('')).not.toContain('\u001b');
    expect(print([event('agent', agentId, 'AgentReconnected', {})])).toEqual(['']);
  });
});
