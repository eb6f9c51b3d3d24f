import { expect, onTestFinished, test } from 'vitest';
import { untilTrue } from '@workledger/infra/testing/processes/until.ts';
import { createTestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { sagaMigrations } from './migrations.ts';
import { anySaga, type Saga } from './saga.ts';
import { createTrial, startEngine } from './testing/trial.ts';

const saga: Saga<null> = {
  name: 'replies',
  topics: ['agent'],
  correlate: ({ type, data }) => (type === 'AgentReserved' ? (data as { taskId: string }).taskId : null),
  initial: null,
  evolve: () => null,
  react: () => [],
};

const tellsPeople = sagaMigrations.findIndex(({ name }) => name === '0008-begun');

/** A database whose sagas had come this far in the log before people were told by one of them. */
async function world(hadRun: boolean) {
  const database = await createTestDatabase();
  const log = await createPostgresEventLog({ connectionString: database.url });
  onTestFinished(async () => {
    await log.close();
    await database.drop();
  });
  const trial = createTrial(log);
  const old = await trial.reserve();
  await migrate(database.url, 'sagas', sagaMigrations.slice(0, tellsPeople));
  if (hadRun)
    await database.pool.query(
      `insert into sagas.progress (consumer, topic, partition, next_offset, position) values ('saga-subtasks', 'agent', 0, 1, $1)`,
      [await log.head()],
    );
  await migrate(database.url, 'sagas', sagaMigrations);
  const stop = startEngine({ log, pool: database.pool, saga: anySaga(saga), work: () => Promise.resolve({}) });
  onTestFinished(stop);
  const next = await trial.reserve();
  const heard = async (taskId: string): Promise<boolean> => {
    for await (const _ of log.readStream(streamName('saga-replies', taskId))) return true;
    return false;
  };
  await untilTrue(() => heard(next.taskId));
  return { heardOld: await heard(old.taskId), heardAny: await heard(newId()) };
}

test('a saga that tells people does not tell them what was done before it was there', async () => {
  expect(await world(true)).toEqual({ heardOld: false, heardAny: false });
});

test('where no saga had run yet, nothing was told: it hears all', async () => {
  expect(await world(false)).toEqual({ heardOld: true, heardAny: false });
});
