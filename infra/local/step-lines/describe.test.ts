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
  events.forEach(printer);
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

group('the steps of a task', () => {
  it('are told with the seconds since the task began', () => {
    expect(print([claimed, completed(4)])).toEqual([
      '   0.0 s  claim     claimed by claude',
      '   4.0 s  task      complete, merged, 1 file +3 −2, cost $0.50 (4.0 s)',
      '                    before ms=9',
      '                    after  ms=2.500',
    ]);
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
    expect(print([claimed, published])[1]).toBe('   3.0 s  publish   branch workledger/x in the origin');
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
    expect(print([event('task', taskId, 'TaskFailed', { claimId, failure })]).map((line) => line.trim())).toEqual([
      '0.0 s  task      failed at test: exit code 1',
      'command: npm test (exit code 1)',
      '| not ok 3',
      'whole log: artefact d',
    ]);
  });

  it('are painted on a terminal only, and events that nobody need see are left out', () => {
    vi.stubEnv('NO_COLOR', undefined);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(print([completed(0)], true)[0]).toContain('\u001b[32m');
    expect(print([completed(0)])[0]).not.toContain('\u001b');
    expect(print([event('agent', agentId, 'AgentReconnected', {})])).toEqual(['']);
  });
});
