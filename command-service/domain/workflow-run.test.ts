import { given } from '@workledger/shared/aggregate/testing.ts';
import { CommandRefused } from '@workledger/shared/commands/refusal.ts';
import type { WorkflowRunEvent } from '@workledger/shared/contexts/task/workflow-run/events.ts';
import { workflowRunFold } from '@workledger/shared/contexts/task/workflow-run/state.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { workflowRun, type WorkflowRunDecisions } from './workflow-run.ts';

const id = (number: number): string => `0190a000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;
const by = 'user:0190a000-0000-7000-8000-0000000000cc';
const of = { workflowId: id(1), parent: null };
const started: Extract<WorkflowRunEvent, { type: 'WorkflowRunStarted' }> = {
  type: 'WorkflowRunStarted',
  data: {
    ...{ ...of, version: 1, definition: { name: 'w', steps: [{ id: 'a', kind: 'timer' }] }, inputs: {} },
    ...{ repository: null, startedBy: by, rights: { role: 'operator', teams: [], repositories: null } },
  },
};
const child = { ...started, data: { ...started.data, parent: { runId: id(2), step: 's', depth: 1 } } };
const paused: WorkflowRunEvent = { type: 'WorkflowRunPaused', data: { by, reason: 'x' } };
const resumed: WorkflowRunEvent = { type: 'WorkflowRunResumed', data: { by } };
const cancelling: WorkflowRunEvent = { type: 'WorkflowRunCancelAsked', data: { by, reason: 'x' } };
const failure = { step: 'a', reason: 'x', command: null, exitCode: null, lastLines: [], log: null };
const failed: WorkflowRunEvent = { type: 'WorkflowRunFailed', data: { ...of, failure, notUndone: [] } };
const completed: WorkflowRunEvent = { type: 'WorkflowRunCompleted', data: { ...of, outputs: {} } };
const retried: WorkflowRunEvent = { type: 'WorkflowRunRetried', data: { by, from: ['a'] } };
const entry = { step: 'a', round: 1, attempt: 1 };
const wait = { ...entry, events: ['workledger.task.TaskCompleted'], of: null, where: [] };
const waiting: WorkflowRunEvent = { type: 'WorkflowRunWaitBegan', data: { ...wait, repositories: null } };
const seen = { ...entry, event: { id: id(3), type: 'TaskCompleted', stream: `task-${id(4)}`, revision: 1, data: {} } };
const actor = { actor: by };
const run = (...events: readonly WorkflowRunEvent[]) => given(workflowRun, started, ...events);

describe('a run', () => {
  it('is started, once', () => {
    given(workflowRun).when('workflow-run.start', started.data).then(started);
    run().when('workflow-run.start', started.data).thenRefused('already-exists');
  });
  it('is paused and resumed, each once', () => {
    run().when('workflow-run.pause', { reason: 'x' }, actor).then(paused);
    run(paused).when('workflow-run.pause', { reason: 'y' }).then();
    run(paused).when('workflow-run.resume', {}, actor).then(resumed);
    run().when('workflow-run.resume', {}).then();
    run(failed).when('workflow-run.pause', { reason: 'x' }).thenRefused('illegal-transition');
    run(failed).when('workflow-run.resume', {}).thenRefused('illegal-transition');
  });
  it('is cancelled, while it runs', () => {
    run(paused).when('workflow-run.cancel', { reason: 'x' }, actor).then(cancelling);
    run(cancelling).when('workflow-run.cancel', { reason: 'y' }).then();
    run(completed).when('workflow-run.cancel', { reason: 'x' }).thenRefused('illegal-transition');
    run(cancelling)
      .when('workflow-run.end-cancelled', { notUndone: [] })
      .then({ type: 'WorkflowRunCancelled', data: { ...of, reason: 'x', notUndone: [] } });
  });
  it('is taken up again after it failed, from steps that it has', () => {
    run(failed)
      .when('workflow-run.retry', { from: ['a'] }, actor)
      .then(retried);
    run(failed)
      .when('workflow-run.retry', { from: ['b'] })
      .thenRefused('out-of-range', { step: 'b' });
    run().when('workflow-run.retry', { from: [] }).thenRefused('illegal-transition');
    given(workflowRun, child, failed).when('workflow-run.retry', { from: [] }).thenRefused('illegal-transition');
  });
  it('waits for an event, and is told the first', () => {
    run().when('workflow-run.await', wait).then(waiting);
    run(waiting).when('workflow-run.await', wait).then();
    run(waiting).when('workflow-run.notice-event', seen).then({ type: 'WorkflowRunEventSeen', data: seen });
    run(waiting, { type: 'WorkflowRunEventSeen', data: seen }).when('workflow-run.notice-event', seen).then();
    run(waiting, failed).when('workflow-run.notice-event', seen).then();
  });
  it('ends once', () => {
    run().when('workflow-run.complete', { outputs: {} }).then(completed);
    run().when('workflow-run.fail', { failure, notUndone: [] }).then(failed);
    run(failed).when('workflow-run.complete', { outputs: {} }).then();
    run(completed).when('workflow-run.fail', { failure, notUndone: [] }).then();
    run(completed).when('workflow-run.end-cancelled', { notUndone: [] }).then();
  });
  it.each([
    'pause',
    'resume',
    'cancel',
    'retry',
    'await',
    'notice-event',
    'complete',
    'fail',
    'end-cancelled',
  ] as const)('that is not there is not found: %s', (intention) =>
    given(workflowRun).when(`workflow-run.${intention}`, said[`workflow-run.${intention}`]).thenRefused('not-found'),
  );
});

const said: WorkflowRunDecisions = {
  'workflow-run.start': started.data,
  'workflow-run.pause': { reason: 'x' },
  'workflow-run.resume': {},
  'workflow-run.cancel': { reason: 'x' },
  'workflow-run.retry': { from: ['a'] },
  'workflow-run.await': wait,
  'workflow-run.notice-event': seen,
  'workflow-run.complete': { outputs: {} },
  'workflow-run.fail': { failure, notUndone: [] },
  'workflow-run.end-cancelled': { notUndone: [] },
};

it('whatever comes: states follow one another as they may, and only what failed or was cancelled goes on after its end', () => {
  const next: Readonly<Record<string, readonly string[]>> = {
    missing: ['running'],
    running: ['paused', 'cancelling', 'completed', 'failed', 'cancelled'],
    paused: ['running', 'cancelling', 'completed', 'failed', 'cancelled'],
    cancelling: ['completed', 'failed', 'cancelled'],
    completed: [],
    failed: ['running'],
    cancelled: ['running'],
  };
  const types = Object.keys(said) as (keyof WorkflowRunDecisions)[];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...types), { maxLength: 60 }), (commands) => {
      let state = workflowRunFold.initial;
      for (const type of commands) {
        const before = state?.status ?? 'missing';
        try {
          const decide = workflowRun.decisions[type] as (data: unknown, now: typeof state, context: object) => readonly WorkflowRunEvent[]; // prettier-ignore
          state = decide(said[type], state, { id: id(9), actor: by }).reduce(workflowRunFold.evolve, state);
        } catch (error) {
          if (!(error instanceof CommandRefused)) throw error;
        }
        const after = state?.status ?? 'missing';
        if (after !== before) expect(next[before]).toContain(after);
        expect(state?.waiting.length ?? 0).toBeLessThanOrEqual(1);
      }
    }),
  );
});
