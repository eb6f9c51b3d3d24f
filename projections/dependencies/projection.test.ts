import { expect, it } from 'vitest';
import { dependenciesStream, type DependenciesEvent } from '@workledger/shared/contexts/task/dependencies/events.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { foldAll } from '../engine/fold-all.ts';
import { history, timeOf } from '@workledger/infra/testing/events/history.ts';
import { dependencies } from './projection.ts';

const stream = dependenciesStream('sample');
const [first, second, third] = [newId(), newId(), newId()] as const;
const added = (taskId: string, dependsOn: string): DependenciesEvent => ({
  type: 'DependencyAdded',
  data: { taskId, dependsOn },
});
const removed = (taskId: string, dependsOn: string): DependenciesEvent => ({
  type: 'DependencyRemoved',
  data: { taskId, dependsOn },
});

it('has a row for each edge that stands', () => {
  const rows = foldAll(
    dependencies,
    history(stream, [added(first, second), added(first, third), removed(first, second)]),
  );
  expect([...rows.values()]).toEqual([
    { id: `${stream}/${first}/${third}`, taskId: first, dependsOn: third, addedAt: timeOf(1) },
  ]);
});

it('has an edge again that was removed and added', () => {
  const rows = foldAll(
    dependencies,
    history(stream, [added(first, second), removed(first, second), added(first, second)]),
  );
  expect([...rows.values()]).toMatchObject([{ taskId: first, dependsOn: second, addedAt: timeOf(2) }]);
});

it('keeps what a task waited for that is complete, and has no row of parts', () => {
  const rows = foldAll(
    dependencies,
    history(stream, [
      added(first, second),
      { type: 'SubtasksAdded', data: { taskId: first, subtasks: [third] } },
      { type: 'DependenciesSettled', data: { taskId: first } },
    ]),
  );
  expect([...rows.values()]).toMatchObject([{ taskId: first, dependsOn: second }]);
});
