import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { FromTheFuture } from '@workledger/shared/events/codec.ts';
import { newId, streamId, streamName } from '@workledger/shared/contexts/stream.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { migrateReadModels } from '../migrations.ts';
import { tasks } from '../tasks/projection.ts';
import { history } from '@workledger/infra/testing/events/history.ts';
import { createdTask, retitled } from '@workledger/infra/testing/events/task-events.ts';
import { applyBatch } from './apply-batch.ts';
import { storedProgress } from './progress.ts';
import { targetOf } from './projection.ts';

let database: TestDatabase;
const target = targetOf(tasks);

beforeAll(async () => {
  database = await createTestDatabase();
  await migrateReadModels(database.url);
});

afterAll(() => database.drop());

beforeEach(async () => {
  await database.pool.query(
    'truncate read_models.tasks_v1, read_models.streams, read_models.progress; ' +
      "insert into read_models.progress values ('tasks', 1, 'task', 0, 10)",
  );
});

const apply = (from: number, next: number, events: readonly RecordedEvent[]) =>
  applyBatch(database.pool, [target], { topic: 'task', partition: 0, from: BigInt(from), next: BigInt(next) }, events);

const progress = async (): Promise<bigint | undefined> => (await storedProgress(database.pool, target)).get('task/0');

const titles = async (): Promise<Record<string, string>> => {
  const { rows } = await database.pool.query<{ id: string; title: string }>('select id, title from read_models.tasks');
  return Object.fromEntries(rows.map(({ id, title }) => [id, title]));
};

const parked = async (): Promise<string[]> => {
  const { rows } = await database.pool.query<{ reason: string }>(
    'select reason from read_models.streams where parked_at is not null',
  );
  return rows.map(({ reason }) => reason);
};

describe('applying a batch', () => {
  it('writes rows, continuity and progress together', async () => {
    const stream = streamName('task', newId());
    const events = history(stream, [createdTask({ title: 'one' }), retitled('two')]);
    expect(await apply(10, 20, events)).toMatchObject({ applied: 2, parked: [] });
    expect(await titles()).toEqual({ [streamId(stream)]: 'two' });
    expect(await progress()).toBe(20n);
  });

  it('writes nothing for a stale worker, whose batch begins elsewhere than the progress stands', async () => {
    const events = history(streamName('task', newId()), [createdTask({})]);
    expect(await apply(5, 20, events)).toBeNull();
    expect(await apply(15, 20, events)).toBeNull();
    expect(await titles()).toEqual({});
    expect(await progress()).toBe(10n);
    const { rowCount } = await database.pool.query('select from read_models.streams');
    expect(rowCount).toBe(0);
  });

  it('lets one of two workers win that hold the same batch', async () => {
    const events = history(streamName('task', newId()), [createdTask({})]);
    const outcomes = await Promise.all([apply(10, 20, events), apply(10, 20, events), apply(10, 20, events)]);
    expect(outcomes.filter((outcome) => outcome !== null)).toHaveLength(1);
  });

  it('drops what was applied before', async () => {
    const stream = streamName('task', newId());
    const events = history(stream, [createdTask({ title: 'one' }), retitled('two'), retitled('three')]);
    await apply(10, 20, events);
    expect(await apply(20, 30, events.slice(0, 2))).toMatchObject({ applied: 0, parked: [] });
    expect(await apply(30, 40, events)).toMatchObject({ applied: 0, parked: [] });
    expect(await titles()).toEqual({ [streamId(stream)]: 'three' });
  });

  it('stops a stream at a gap, and that stream only', async () => {
    const [torn, whole] = [streamName('task', newId()), streamName('task', newId())];
    const [first, , third, fourth] = history(torn, [
      createdTask({ title: 'one' }),
      retitled('two'),
      retitled('three'),
      retitled('four'),
    ]);
    const other = history(whole, [createdTask({}), retitled('whole')]);
    expect(await apply(10, 20, [first!, other[0]!, third!, other[1]!])).toMatchObject({ applied: 3 });
    expect(await titles()).toEqual({ [streamId(torn)]: 'one', [streamId(whole)]: 'whole' });
    expect(await parked()).toEqual(['gap: revision 2 came, but 1 was never seen']);
    expect(await progress()).toBe(20n);
    expect(await apply(20, 30, [fourth!])).toMatchObject({ applied: 0, parked: [] });
    expect(await titles()).toMatchObject({ [streamId(torn)]: 'one' });
  });

  it('stops a stream whose first event is missing', async () => {
    const [, second] = history(streamName('task', newId()), [createdTask({}), retitled('two')]);
    await apply(10, 20, [second!]);
    expect(await parked()).toEqual(['gap: revision 1 came, but 0 was never seen']);
  });

  it('stops a stream when another event comes under a revision that was applied', async () => {
    const stream = streamName('task', newId());
    const [first] = history(stream, [createdTask({ title: 'the first' })]);
    await apply(10, 20, [first!]);
    await apply(20, 30, [{ ...first!, id: newId() }]);
    expect(await parked()).toEqual([expect.stringContaining('conflict: revision 0')]);
    expect(await titles()).toEqual({ [streamId(stream)]: 'the first' });
  });

  it('writes nothing where an event is from the future: it is not broken', async () => {
    const stream = streamName('task', newId());
    const [first] = history(stream, [createdTask({})]);
    const future = { ...first!, id: newId(), revision: 1, type: 'TaskTeleported' };
    await expect(apply(10, 20, [first!, future])).rejects.toThrow(FromTheFuture);
    expect(await parked()).toEqual([]);
    expect(await progress()).toBe(10n);
  });
});
