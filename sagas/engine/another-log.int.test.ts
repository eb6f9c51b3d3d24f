import { expect, it, vi } from 'vitest';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { createTestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { sagaMigrations } from './migrations.ts';
import { createTrial, isResult, startEngine } from './testing/trial.ts';

it('sagas whose progress is about another log wait, say why, and carry nothing out', async () => {
  const [mine, other] = [await createTestDatabase(), await createTestDatabase()];
  await migrate(mine.url, 'sagas', sagaMigrations);
  const log = await createPostgresEventLog({ connectionString: mine.url });
  const otherLog = await createPostgresEventLog({ connectionString: other.url });
  const { logger, text } = captureLog();
  const calls: string[] = [];
  const start = (of: typeof log) =>
    startEngine({ log: of, pool: mine.pool, calls, logger, work: () => Promise.resolve('done'), alone: false });

  const trial = createTrial(log);
  const { taskId } = await trial.reserve();
  const stop = start(log);
  await trial.until(taskId, isResult('later'));
  await stop();

  const elsewhere = await createTrial(otherLog).reserve();
  const stopOther = start(otherLog);
  await vi.waitUntil(() => text().includes('sagas wait: this is not their event log'), { timeout: 20_000 });
  await stopOther();
  expect(text()).toContain('the sagas (schema sagas) belong to the event log that begins with event');
  expect(await createTrial(otherLog).history(elsewhere.taskId)).toEqual([]);

  const next = await trial.reserve();
  const stopAgain = start(log);
  await trial.until(next.taskId, isResult('later'));
  await stopAgain();
  expect(calls).toHaveLength(2);

  for (const opened of [log, otherLog]) await opened.close();
  for (const database of [mine, other]) await database.drop();
});
