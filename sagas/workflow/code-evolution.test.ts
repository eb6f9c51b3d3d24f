import { newId } from '@workledger/shared/contexts/stream.ts';
import { templates } from '@workledger/shared/workflows/templates.ts';
import { expect, it } from 'vitest';
import { begin } from './testing.ts';

const template = templates.find(({ name }) => name === 'code-evolution')!;
const given = { title: 'Faster', description: 'It must not read twice.', repository: 'shop' };

/** A run that has made its task, and waits for its end. */
function worked() {
  const { steps, ...more } = template.definition;
  const run = begin(steps, more, given);
  const taskId = newId();
  const make = (round: number, id: string): void => {
    expect(run.requested(`step/code_task/${round}/1`)).toMatchObject({
      ...{ type: 'workflow-run.perform', data: { round, type: 'task.create', target: null, data: given } },
    });
    run.succeeds(`step/code_task/${round}/1`, { id });
    expect(run.requested(`step/code_ended/${round}/1`)).toMatchObject({
      data: { of: id, events: expect.arrayContaining(['workledger.task.TaskCompleted']) as unknown },
    });
    run.succeeds(`step/code_ended/${round}/1`);
  };
  const end = (type: string, round: number, id: string, data: object): void =>
    void run.receive('WorkflowRunEventSeen', {
      ...{ step: 'code_ended', round, attempt: 1 },
      event: { id: newId(), type, stream: `task-${id}`, revision: 3, data },
    });
  make(1, taskId);
  return { ...run, taskId, make, end };
}
const merged = { result: { merged: true } };

it('template code-evolution makes a task, and is complete when that is', () => {
  const run = worked();
  expect(run.open()).toEqual([]);
  run.end('TaskCompleted', 1, run.taskId, merged);
  expect(run.requested('end/1')).toMatchObject({ data: { outputs: { taskId: run.taskId, end: merged } } });
  run.succeeds('end/1');
  expect(run.ended()).toBe('completed');
});

it('template code-evolution fails with its task, and makes another one when it is taken up again', () => {
  const run = worked();
  run.end('TaskFailed', 1, run.taskId, { reason: 'red' });
  expect(run.requested('undo/code_task/1/1')).toMatchObject({ data: { type: 'task.cancel', target: run.taskId } });
  run.succeeds('undo/code_task/1/1');
  expect(run.requested('end/1/failed')).toMatchObject({
    data: { failure: { step: 'code_ended', reason: `TaskFailed of task-${run.taskId}: red` }, notUndone: [] },
  });
  run.succeeds('end/1/failed');
  run.receive('WorkflowRunRetried', { from: [] });
  const another = newId();
  run.make(2, another);
  run.end('TaskCompleted', 2, another, merged);
  expect(run.requested('end/2')).toMatchObject({ data: { outputs: { taskId: another } } });
});

it('template code-evolution cancels its task when it is cancelled', () => {
  const run = worked();
  run.receive('WorkflowRunCancelAsked');
  expect(run.requested('undo/code_task/1/1')).toMatchObject({ data: { type: 'task.cancel', target: run.taskId } });
  run.succeeds('undo/code_task/1/1');
  expect(run.open()).toEqual(['end/1/cancelled']);
});

it('template code-evolution holds no task when it is paused: its end is heard all the same', () => {
  const run = worked();
  run.receive('WorkflowRunPaused');
  expect(run.open()).toEqual([]);
  run.end('TaskCompleted', 1, run.taskId, merged);
  expect(run.open()).toEqual(['end/1']);
});
