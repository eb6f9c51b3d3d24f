import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { anyEvents } from '@workledger/infra/testing/events/any-event.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { untilReadModelsFitLog } from './all.ts';
import { migrateReadModels } from './migrations.ts';
import { silent } from './testing/engine.ts';

let opened: { database: TestDatabase; log: EventLog }[];
async function open(): Promise<{ database: TestDatabase; log: EventLog }> {
  const database = await createTestDatabase();
  const log = await createPostgresEventLog({ connectionString: database.url });
  opened.push({ database, log });
  return { database, log };
}
const append = (log: EventLog): Promise<unknown> => log.append(streamName('task', newId()), anyEvents(2), 'none');

let stopping: AbortController;
beforeEach(() => {
  opened = [];
  stopping = new AbortController();
});
afterEach(async () => {
  stopping.abort();
  for (const { database, log } of opened) {
    await log.close();
    await database.drop();
  }
});

it('read models wait, and say why, while the log is not the one that they were made from', async () => {
  const [mine, other] = [await open(), await open()];
  await migrateReadModels(mine.database.url);
  const { pool } = mine.database;
  const { signal } = stopping;
  // The log is empty at first: it is known by its first event as soon as that is there.
  await untilReadModelsFitLog({ pool, log: mine.log, logger: silent, signal });
  await append(mine.log);
  await append(other.log);
  await vi.waitUntil(async () => (await pool.query('select from read_models.log')).rowCount === 1, { timeout: 20_000 });

  const told: (string | null)[] = [];
  let isRight = false;
  const onProblem = (problem: string | null): void => void told.push(problem);
  let log = other.log;
  const given: Pick<EventLog, 'readAll'> = { readAll: (options) => log.readAll(options) };
  const waiting = untilReadModelsFitLog({ pool, log: given, logger: silent, signal, onProblem }).then(
    () => (isRight = true),
  );
  await vi.waitUntil(() => told.length > 0, { timeout: 20_000 });
  expect(told).toEqual([expect.stringContaining('belong to the event log that begins with event')]);
  expect(isRight).toBe(false);
  log = mine.log;
  await waiting;
  expect(told.at(-1)).toBeNull();
});
