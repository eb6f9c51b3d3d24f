import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { newId, streamId, streamName } from '@workledger/shared/contexts/stream.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { migrateReadModels } from '../migrations.ts';
import { tasks } from '../tasks/projection.ts';
import { history } from '@workledger/infra/testing/events/history.ts';
import { createdTask, retitled } from '@workledger/infra/testing/events/task-events.ts';
import { applyBatch } from './apply-batch.ts';
import { interleave } from './interleave.ts';
import { differingRows, rebuild } from './rebuild.ts';
import { targetOf } from './projection.ts';

let database: TestDatabase;
const streams = Array.from({ length: 20 }, () => streamName('task', newId()));
const events: RecordedEvent[] = streams.flatMap((stream, index) =>
  history(stream, [
    createdTask({ title: `task ${index}`, metadata: { b: '1', a: '2' } }),
    ...Array.from({ length: index }, (_, number) => retitled(`title ${number}`)),
    {
      type: 'TaskClaimed',
      data: { claimId: newId(), agentId: newId(), runtime: 'command', repository: null, leaseSeconds: 9 },
    },
  ]),
);

beforeAll(async () => {
  database = await createTestDatabase();
  await migrateReadModels(database.url);
  await database.pool.query("insert into read_models.progress values ('tasks', 1, 'task', 0, 0)");
  await applyBatch(database.pool, [targetOf(tasks)], { topic: 'task', partition: 0, from: 0n, next: 1n }, events);
});

afterAll(() => database.drop());

it.each([1, 7, 500])(
  'a rebuilt read model equals the live one, streams interleaved by chance, %i events a batch',
  async (batch) => {
    const shuffled = interleave(events, Math.random);
    await rebuild({ projection: tasks, pool: database.pool, schema: 'again', events: shuffled, batch });
    expect(await differingRows(database.pool, tasks, 'again')).toEqual([]);
    const { rows } = await database.pool.query<{ count: string }>('select count(*) from again.tasks_v1');
    expect(Number(rows[0]?.count)).toBe(streams.length);
  },
);

it('names the rows that differ, in either direction', async () => {
  await rebuild({ projection: tasks, pool: database.pool, schema: 'again', events });
  const [first, second, third] = streams.map(streamId);
  await database.pool.query('delete from again.tasks_v1 where id = $1', [first]);
  await database.pool.query(`update again.tasks_v1 set metadata = '{}' where id = $1`, [second]);
  await database.pool.query(
    'insert into again.tasks_v1 select (jsonb_populate_record(t, $2)).* from again.tasks_v1 t where id = $1',
    [third, { id: 'nobody' }],
  );
  const differing = await differingRows(database.pool, tasks, 'again');
  expect(differing.map(({ id }) => id).toSorted()).toEqual([first, second, 'nobody'].toSorted());
});

it('refuses to build over the live read models, or under a name that is none', async () => {
  for (const schema of ['read_models', 'x; drop schema read_models', ''])
    await expect(rebuild({ projection: tasks, pool: database.pool, schema, events })).rejects.toThrow(RangeError);
});

it('says which stream cannot be rebuilt', async () => {
  const torn = events.filter(({ stream, revision }) => stream !== streams[3] || revision !== 1);
  await expect(rebuild({ projection: tasks, pool: database.pool, schema: 'again', events: torn })).rejects.toThrow(
    streams[3],
  );
});
