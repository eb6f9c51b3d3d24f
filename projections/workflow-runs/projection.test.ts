import { history, timeOf } from '@workledger/infra/testing/events/history.ts';
import type { SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { WorkflowEvent } from '@workledger/shared/contexts/task/workflow/events.ts';
import type { WorkflowRunEvent } from '@workledger/shared/contexts/task/workflow-run/events.ts';
import { expect, it } from 'vitest';
import { foldAll } from '../engine/fold-all.ts';
import { workflows, workflowVersions } from '../workflows/projection.ts';
import { workflowRuns } from './projection.ts';
import { workflowSteps } from './steps.ts';

const id = newId();
const definition = { name: 'w', description: 'so', steps: [{ id: 'a', kind: 'timer' }] };
const defined = (version: number): WorkflowEvent => ({
  type: 'WorkflowDefined',
  data: { version, definition: { ...definition, name: `w${version}` }, repository: 'shop', definedBy: 'user:1' },
});

it('a workflow is what its newest version says; every version stays', () => {
  const retired: WorkflowEvent = { type: 'WorkflowRetired', data: { retiredBy: 'user:1', reason: 'old' } };
  const events = history(streamName('workflow', id), [defined(1), defined(2), retired]);
  expect([...foldAll(workflows, events).values()]).toEqual([
    {
      ...{ id, revision: 2, name: 'w2', description: 'so', repository: 'shop', version: 2, steps: 1 },
      ...{ state: 'retired', definedBy: 'user:1', createdAt: timeOf(0), changedAt: timeOf(2) },
    },
  ]);
  const versions = [...foldAll(workflowVersions, events).values()] as { id: string; definition: { name: string } }[];
  expect(versions.map((row) => [row.id, row.definition.name])).toEqual([
    [`${id}/1`, 'w1'],
    [`${id}/2`, 'w2'],
  ]);
});

it('a run stands as its stream says, and begins anew when it is taken up again', () => {
  const failure = { step: 'a', reason: 'x', command: null, exitCode: null, lastLines: [], log: null };
  const of = { workflowId: newId(), parent: { runId: newId(), step: 's', depth: 1 } };
  const rights = { role: 'operator' as const, teams: [], repositories: null };
  const started = { ...of, version: 3, definition, inputs: { n: 1 }, repository: null, startedBy: 'user:1', rights };
  const events: WorkflowRunEvent[] = [
    { type: 'WorkflowRunStarted', data: started },
    { type: 'WorkflowRunPaused', data: { by: 'user:1', reason: 'lunch' } },
    { type: 'WorkflowRunResumed', data: { by: 'user:1' } },
    { type: 'WorkflowRunFailed', data: { ...of, failure, notUndone: ['a'] } },
    { type: 'WorkflowRunRetried', data: { by: 'user:1', from: [] } },
    { type: 'WorkflowRunCompleted', data: { ...of, outputs: { x: 1 } } },
  ];
  const after = (count: number) =>
    [...foldAll(workflowRuns, history(streamName('workflow-run', id), events.slice(0, count))).values()][0];
  expect(after(2)).toMatchObject({ state: 'paused', reason: 'lunch', version: 3, workflow: 'w', stepCount: 1 });
  expect(after(4)).toMatchObject({ state: 'failed', failure, notUndone: ['a'], endedAt: timeOf(3) });
  expect(after(6)).toMatchObject({
    ...{ state: 'completed', failure: null, notUndone: [], outputs: { x: 1 }, retries: 1 },
    ...{ parentRunId: of.parent.runId, parentStep: 's', revision: 5, startedAt: timeOf(0), endedAt: timeOf(5) },
  });
});

it('a step is a row: its attempts, its result, what it waits for', () => {
  const changed = (state: 'started' | 'succeeded' | 'sent-back', detail: object = {}): SagaEvent => ({
    type: 'SagaStepChanged',
    data: { step: 'a', round: 1, attempt: 1, state, detail },
  });
  const succeeded = (key: string, result: unknown): SagaEvent => ({
    type: 'SagaEffectSucceeded',
    data: { key, result },
  });
  const after = (...events: readonly SagaEvent[]) => [
    ...foldAll(workflowSteps, history(streamName('saga-workflow', id), events)).values(),
  ];
  expect(after(changed('started'), succeeded('step/a/1/1', { n: 1 }), changed('succeeded'))).toEqual([
    {
      ...{ id: `${id}/a`, revision: 2, runId: id, step: 'a', state: 'succeeded', round: 1, attempt: 1 },
      ...{ result: { n: 1 }, failure: null, waitsFor: null, startedAt: timeOf(0), updatedAt: timeOf(2) },
    },
  ]);
  const asked = [changed('started', { awaits: 'q' }), succeeded('step/a/1/1', { n: 1 })];
  expect(after(...asked)).toMatchObject([{ state: 'started', waitsFor: 'q', result: null }]);
  expect(after(...asked, changed('succeeded', { result: { choice: 'yes' } }), changed('sent-back'))).toMatchObject([
    { state: 'sent-back', waitsFor: null, result: null },
  ]);
});
