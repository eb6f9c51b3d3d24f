import { expect, it } from 'vitest';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { dependenciesId } from '@workledger/shared/contexts/task/dependencies/events.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { scenario } from '../engine/testing/scenario.ts';
import { subtasks } from './subtasks.ts';

const cancellation = { claimId: null, reason: 'no need' };
const correlated = (type: string, data: unknown, id = newId()): string | null =>
  subtasks.correlate({ type, data, stream: streamName('task', id) } as RecordedEvent);

it('goes on with each cancellation of a task that has parts or is one', () => {
  const run = scenario(subtasks);
  const taskId = newId();
  run.receives('task', taskId, 'TaskCancelled', { ...cancellation, parentId: newId() });
  run.receivesAgain();
  expect(run.open()).toEqual(['cancellation/0']);
  expect(run.requested('cancellation/0')).toMatchObject({ type: 'task.finish-cancellation', target: taskId });
  run.receives('task', taskId, 'TaskCancelled', { ...cancellation, hasSubtasks: true });
  expect(run.open()).toEqual(['cancellation/0', 'cancellation/1']);
  run.succeeds('cancellation/0', { details: {} });
  expect(run.open()).toEqual(['cancellation/1']);
});

it('passes over what was cancelled before the log told more, and what has no parts and is none', () => {
  const taskId = newId();
  expect(correlated('TaskCancelled', cancellation)).toBeNull();
  expect(correlated('TaskCreated', { parentId: newId() })).toBeNull();
  expect(correlated('TaskExpanded', { subtasks: [newId()] })).toBeNull();
  expect(correlated('TaskCancelled', { ...cancellation, hasSubtasks: true }, taskId)).toBe(taskId);
});

function expansion() {
  const run = scenario(subtasks);
  const [taskId, parts] = [newId(), [newId(), newId()]];
  run.receives('dependencies', dependenciesId('sample'), 'SubtasksAdded', { taskId, subtasks: parts });
  return { ...run, taskId, parts };
}

it('asks to give up an expansion after its time, once where all of it was there', () => {
  const run = expansion();
  expect(run.requested('look/1')).toMatchObject({ kind: 'timer', dueAt: '2026-01-01T00:00:30.000Z' });
  run.succeeds('look/1');
  expect(run.requested('give-up/1')).toMatchObject({
    ...{ type: 'task.give-up-expansion', target: run.taskId, data: { subtasks: run.parts } },
  });
  run.succeeds('give-up/1', { details: { missing: [] } });
  expect(run.open()).toEqual([]);
});

it('looks once more for parts that were not there: who was to create them may have been frozen', () => {
  const run = expansion();
  run.succeeds('look/1');
  run.succeeds('give-up/1', { details: { missing: run.parts.slice(1) } });
  expect(run.requested('look/2')).toMatchObject({ kind: 'timer', dueAt: '2026-01-01T00:10:00.000Z' });
  run.succeeds('look/2');
  expect(run.requested('give-up/2')).toMatchObject({ data: { subtasks: run.parts.slice(1) } });
  run.succeeds('give-up/2', { details: { missing: run.parts.slice(1) } });
  expect(run.open()).toEqual([]);
});
