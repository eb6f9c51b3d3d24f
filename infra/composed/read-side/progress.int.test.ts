import { afterAll, beforeAll, expect, it } from 'vitest';
import { commandServiceMigrations } from '@workledger/command-service/processes/heartbeats.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { createdTask, newTaskStream } from '../../testing/events/task-events.ts';
import { items, startReadSide, type ReadSide } from './testing.ts';

let side: ReadSide;
beforeAll(async () => {
  side = await startReadSide();
  side.startProjections();
});
afterAll(() => side.close());

it('a task and the list of tasks show the newest report of its claim, though no event tells it', async () => {
  const stream = newTaskStream();
  const [claimId, agentId] = [newId(), newId()];
  const token = await side.append(
    stream,
    createdTask(),
    { type: 'TaskClaimed', data: { claimId, agentId, runtime: 'remote', repository: null, leaseSeconds: 60 } },
    { type: 'TaskProgressReported', data: { claimId, note: 'begun', percent: 1 } },
  );
  const taskId = stream.slice('task-'.length);
  const shown = async () => {
    const { body } = await side.get(`/tasks/${taskId}`, { 'Consistency-Token': token });
    const [listed] = items(await side.get(`/tasks?agent=${agentId}`));
    return [body, listed].map((task) => [task?.['progressNote'], task?.['progressPercent']]);
  };
  // Before command-service has made its table.
  expect(await shown()).toEqual([
    ['begun', 1],
    ['begun', 1],
  ]);
  await migrate(side.database.url, 'command_service', commandServiceMigrations);
  expect(await shown()).toEqual([
    ['begun', 1],
    ['begun', 1],
  ]);
  await side.database.pool.query(
    `insert into command_service.progress values ($1, $2, 'newest', 7.5, now(), now(), 0, '{}')`,
    [claimId, taskId],
  );
  expect(await shown()).toEqual([
    ['newest', 7.5],
    ['newest', 7.5],
  ]);
});
