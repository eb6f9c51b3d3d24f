import { definition } from '../contexts/task/workflow/definition.ts';
import { faultsOf } from './validate.ts';

export const timer = (id: string, more: object = {}) => ({ kind: 'timer', id, seconds: 1, ...more });
export const send = (id: string, more: object = {}) => ({
  ...{ kind: 'command', id, command: 'task.create', data: { title: 'x' } },
  ...more,
});
/** What is wrong with a definition of these steps: each fault with its place. */
export const faults = (steps: readonly object[], more: object = {}) =>
  faultsOf(definition.parse({ name: 'w', steps, ...more })).map(({ at, reason }) => `${at} ${reason}`);
