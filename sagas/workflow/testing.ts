import { newId } from '@workledger/shared/contexts/stream.ts';
import type { Definition, Step } from '@workledger/shared/contexts/task/workflow/definition.ts';
import { scenario } from '../engine/testing/scenario.ts';
import { workflow } from './workflow.ts';

export const timer = (id: string, more: object = {}): Step => ({ kind: 'timer', id, seconds: 1, ...more });
export const send = (id: string, more: object = {}): Step => ({
  kind: 'command',
  id,
  command: 'task.create',
  data: { title: id },
  ...more,
});
/** Undoes a step that makes a task. */
export const undoOf = (id: string) =>
  ({ kind: 'command', command: 'task.cancel', target: { $from: `/steps/${id}/result/id` } }) as const;

/** A run that has begun, and how its own stream goes on. */
export function begin(
  steps: readonly Step[],
  more: Partial<Definition> = {},
  inputs: object = {},
  rights: object = {},
) {
  const run = scenario(workflow);
  const runId = newId();
  const own = { workflowId: newId(), version: 1, repository: null, startedBy: 'user:x', rights, parent: null };
  run.receives('workflow-run', runId, 'WorkflowRunStarted', {
    ...own,
    definition: { name: 'w', steps, ...more },
    inputs,
  });
  const receive = (type: string, data: object = {}) =>
    run.receives('workflow-run', runId, type, { by: 'user:x', reason: 'so', ...data });
  return { ...run, runId, receive };
}
