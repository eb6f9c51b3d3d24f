import { afterAll, beforeAll, expect, it } from 'vitest';
import { encode } from '@workledger/shared/events/codec.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { migrateReadModels } from '../migrations.ts';
import { tasks } from '../tasks/projection.ts';
import { untilHolds } from '../testing/engine.ts';
import { createdTask, retitled } from '@workledger/infra/testing/events/task-events.ts';
import { differingRows, rebuild } from './rebuild.ts';
import { startProgram, type Program } from '@workledger/infra/testing/processes/program.ts';

const EVENTS = 25;

let database: TestDatabase;
let log: EventLog;

beforeAll(async () => {
  database = await createTestDatabase();
  log = await createPostgresEventLog({ connectionString: database.url });
  await migrateReadModels(database.url);
});

afterAll(async () => {
  await log.close();
  await database.drop();
});

async function appendStreams(count: number): Promise<string[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const stream = streamName('task', newId());
      const metadata = { correlationId: newId(), causationId: null, commandId: newId(), commandHash: '0' };
      const events = [
        createdTask({}),
        ...Array.from({ length: EVENTS - 1 }, (_, number) => retitled(`title ${number}`)),
      ];
      await log.append(stream, encode(stream, events, { ...metadata, actor: 'system', traceparent: null }), 'none');
      return stream;
    }),
  );
}

const startWorker = (): Program => startProgram('projections/testing/run-tasks.program.ts', [database.url]);

/** How many streams were seen, and how many of them to their end. */
async function seen(): Promise<{ some: number; whole: number }> {
  const { rows } = await database.pool.query<{ some: number; whole: number }>(
    `select count(*)::integer as some, (count(*) filter (where revision = $1))::integer as whole
     from read_models.streams where parked_at is null`,
    [EVENTS - 1],
  );
  return rows[0]!;
}

async function isWholeAgain(streams: number): Promise<void> {
  const worker = startWorker();
  try {
    await untilHolds(async () => expect((await seen()).whole).toBe(streams));
  } finally {
    await worker.end('SIGKILL');
  }
  await rebuild({
    projection: tasks,
    pool: database.pool,
    schema: 'again',
    events: log.readAll({ streams: ['task'] }),
  });
  expect(await differingRows(database.pool, tasks, 'again')).toEqual([]);
}

/** Keeps whoever wants to write this stream's continuity waiting, in the middle of its transaction. */
async function hold(stream: string): Promise<{ letGo(): Promise<void> }> {
  const client = await database.pool.connect();
  await client.query('begin');
  await client.query(
    "insert into read_models.streams (projection, version, stream, revision) values ('tasks', 1, $1, -1)",
    [stream],
  );
  return {
    letGo: async () => {
      await client.query('rollback');
      client.release();
    },
  };
}

it('a worker that is killed while it catches up is followed by one that goes on, without a gap or a repeat', async () => {
  await appendStreams(200);
  const [held = ''] = await appendStreams(1);
  await appendStreams(199);
  const holding = await hold(held);
  const worker = startWorker();
  await untilHolds(async () => expect((await seen()).some).toBeGreaterThan(0));
  await worker.end('SIGKILL');
  const { whole } = await seen();
  await holding.letGo();
  expect(whole).toBeLessThan(400);
  await isWholeAgain(400);
});

it('a worker that is killed while it follows the bus is followed by one that goes on, without a gap or a repeat', async () => {
  const worker = startWorker();
  const appended = appendStreams(400);
  await untilHolds(async () => expect((await seen()).some).toBeGreaterThan(420));
  await worker.end('SIGKILL');
  await appended;
  await isWholeAgain(800);
});
