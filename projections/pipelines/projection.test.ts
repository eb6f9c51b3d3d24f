import { describe, expect, it } from 'vitest';
import type { Effect, SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { PipelineRow, StepState } from '@workledger/shared/contexts/saga/row.ts';
import { foldAll } from '../engine/fold-all.ts';
import { history, timeOf, commitOf, failed, paper } from '@workledger/infra/testing/events/history.ts';
import { pipelines } from './projection.ts';

const id = newId();
const taskId = newId();
const input: SagaEvent = {
  type: 'SagaInputReceived',
  data: {
    source: { stream: streamName('task', taskId), revision: 1, eventId: newId() },
    type: 'TaskClaimed',
    data: {},
  },
};
const step = (name: string, state: StepState, round = 1, attempt = 1): SagaEvent => ({
  type: 'SagaStepChanged',
  data: { step: name, round, attempt, state, detail: {} },
});
const requested = (effect: Effect): SagaEvent => ({ type: 'SagaEffectRequested', data: { effect } });
const call = (key: string): SagaEvent =>
  requested({ kind: 'call', key, component: 'code.work', request: {}, timeoutSeconds: 60 });
const work = {
  commit: commitOf('b'),
  prompt: paper('1'),
  output: paper('2'),
  diff: paper('3'),
  exitCode: 0,
  costUsd: 0.1,
  durationMs: 800,
  agent: { turns: 3, tokens: { input: 900, output: 40 }, session: 'a-session', isResumed: false },
};
const done = (key: string, result: unknown = {}): SagaEvent => ({ type: 'SagaEffectSucceeded', data: { key, result } });

const after = (...events: SagaEvent[]): PipelineRow =>
  foldAll<PipelineRow>(pipelines, history(streamName('saga-code-evolution', id), [input, ...events])).get(id)!;

describe('the pipelines read model', () => {
  it('runs for the task of its first input', () => {
    expect(after()).toMatchObject({ id, taskId, state: 'running', steps: [], startedAt: timeOf(0) });
  });

  it('shows of each attempt the prompt, the output, the diff, and how it ended', () => {
    const row = after(
      step('generate', 'started'),
      call('generate/1/1/work'),
      done('generate/1/1/work', work),
      step('generate', 'succeeded'),
    );
    expect(row.steps).toMatchObject([
      {
        step: 'generate',
        state: 'succeeded',
        attempts: [
          {
            round: 1,
            attempt: 1,
            state: 'succeeded',
            effects: [
              {
                name: 'code.work',
                state: 'succeeded',
                exitCode: 0,
                commit: commitOf('b'),
                artefacts: { prompt: paper('1'), output: paper('2'), diff: paper('3') },
                agent: work.agent,
                requestedAt: timeOf(2),
                endedAt: timeOf(3),
              },
            ],
          },
        ],
      },
    ]);
  });

  it('keeps rounds and attempts of a step apart', () => {
    const failure = failed('exit code 1');
    const row = after(
      step('generate', 'started'),
      call('generate/1/1/work'),
      {
        type: 'SagaEffectFailed',
        data: { key: 'generate/1/1/work', failure, retryable: true, costUsd: 0.2, prompt: paper('1') },
      },
      step('generate', 'waiting'),
      step('generate', 'started', 1, 2),
      call('generate/1/2/work'),
      step('generate', 'started', 2, 1),
    );
    expect(row.steps[0]?.attempts).toMatchObject([
      {
        round: 1,
        attempt: 1,
        state: 'waiting',
        effects: [
          { state: 'failed', failure, exitCode: 1, costUsd: 0.2, artefacts: { prompt: paper('1'), log: paper('f') } },
        ],
      },
      { round: 1, attempt: 2, state: 'started', effects: [{ state: 'requested' }] },
      { round: 2, attempt: 1, effects: [] },
    ]);
  });

  it('shows how a step was undone, beside what it had done', () => {
    const row = after(
      step('publish', 'started'),
      step('publish', 'succeeded'),
      step('publish', 'compensating'),
      call('undo/publish/1/unpublish'),
      done('undo/publish/1/unpublish'),
      step('publish', 'compensated'),
      { type: 'SagaEnded', data: { outcome: 'failed', failure: failed('tests fail') } },
    );
    expect(row).toMatchObject({ state: 'failed', failure: failed('tests fail'), endedAt: timeOf(7) });
    expect(row.steps).toMatchObject([
      {
        state: 'compensated',
        attempts: [{ state: 'succeeded' }],
        compensation: { state: 'compensated', effects: [{ key: 'undo/publish/1/unpublish', state: 'succeeded' }] },
      },
    ]);
  });

  it('lets a cancelled effect stay cancelled, whatever it answers afterwards', () => {
    const row = after(
      step('generate', 'started'),
      call('generate/1/1/work'),
      { type: 'SagaEffectCancelled', data: { key: 'generate/1/1/work' } },
      done('generate/1/1/work', work),
    );
    expect(row.steps[0]?.attempts[0]?.effects).toMatchObject([
      { state: 'cancelled', artefacts: { output: paper('2') } },
    ]);
  });

  it('keeps what was asked outside of any step', () => {
    const row = after(
      requested({ kind: 'command', key: 'end/1/fail', type: 'task.fail', target: taskId, data: {} }),
      done('end/1/fail'),
    );
    expect(row.effects).toMatchObject([{ key: 'end/1/fail', name: 'task.fail', state: 'succeeded' }]);
  });
});
