import { storedProgress } from '@workledger/projections/engine/progress.ts';
import { targetOf } from '@workledger/projections/engine/projection.ts';
import { tasks } from '@workledger/projections/tasks/projection.ts';
import { createdTask, retitled } from '../testing/events/task-events.ts';
import type { BusBatch, EventBus } from '@workledger/shared/event-bus/port.ts';
import { newId, streamId, streamName } from '@workledger/shared/contexts/stream.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { letWritesFail, letWritesSucceed, startWorker, type Worker } from './harness/worker.ts';
import { fillLog } from '../testing/events/fill-log.ts';
import { makeHistories } from '../testing/events/histories.ts';
import { portEnginesOfEveryLog } from '../testing/system/ports.ts';
import type { Membership, Ports } from '../testing/system/ports/port-engine.ts';
import { createRandom, seeds } from '../testing/events/random.ts';
import { followed, pureFold, untilSeen, writtenRows } from './harness/read-models.ts';
import { createTrailTable, readTrails, trail } from './harness/trail.ts';
import { unruly } from './harness/unruly-bus.ts';
import { isFullLength } from '../testing/system/storm.ts';
import { until } from '../testing/processes/until.ts';

const projections = [tasks, trail];

describe.each(portEnginesOfEveryLog)('a projection takes every event of a stream once, in order, $name', (engine) => {
  let ports: Ports;
  beforeEach(async () => {
    ports = await engine.open();
    await createTrailTable(ports.pool);
  });
  afterEach(() => ports.close());

  const start = async (
    disturb: (bus: EventBus) => EventBus,
    running = projections,
    membership: Membership = 'sharing',
  ): Promise<Worker> => {
    const { log, bus } = await ports.another(membership);
    return startWorker(running, { log, bus: disturb(bus), databaseUrl: ports.databaseUrl });
  };
  const write = (stream: string, titles: readonly string[]) =>
    fillLog(
      ports.log,
      [{ stream, events: [createdTask({ title: 'made' }), ...titles.map(retitled)] }],
      createRandom(1),
    );
  /** So that what is written from now on comes over the bus. */
  const untilFollowing = () =>
    until('the projection to follow the bus', async () =>
      (await storedProgress(ports.pool, targetOf(trail))).has('task/0'),
    );

  test.each(seeds(engine.name === 'embedded' ? (isFullLength ? 3 : 2) : 1))(
    'through cut and repeated batches, two workers, restarts, failing writes, lost connections (SEED=%i)',
    async (seed) => {
      const random = createRandom(seed);
      const histories = makeHistories(random, 25, ['task', 'agent', 'key', 'delivery']);
      let written = false;
      await letWritesFail(ports.pool);
      const writing = fillLog(ports.log, histories, random).finally(() => (written = true));
      for (let life = 0; life < 6; life++) {
        const disturb = (bus: EventBus) => unruly(bus, random, engine.offsetAfter);
        const workers = await Promise.all(Array.from({ length: 1 + random.below(2) }, () => start(disturb)));
        const enough = 1 + random.below(40);
        await until('the workers to do something', () => workers.some(({ applied }) => applied() >= enough) || written);
        if (random.chance(0.5))
          await ports.pool.query(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'worker'",
          );
        await Promise.all(workers.map(({ stop }) => stop()));
      }
      await writing;
      await letWritesSucceed(ports.pool);
      const last = await start((bus) => unruly(bus, random, engine.offsetAfter));
      // What never comes, the comparison tells.
      for (const projection of projections) await untilSeen(projection, ports.log, ports.pool).catch(() => undefined);
      await last.stop();

      for (const projection of projections)
        expect(await writtenRows(projection, ports.pool)).toEqual(await pureFold(projection, ports.log));
      for (const [id, ids] of await readTrails(ports.pool))
        expect(ids).toEqual(
          (await followed(trail, ports.log)).filter((event) => streamId(event.stream) === id).map((event) => event.id),
        );
    },
  );

  test('a gap stops that stream loudly, and no other', async () => {
    const [torn, whole] = [streamName('task', newId()), streamName('task', newId())];
    const losing = (batch: BusBatch): BusBatch => ({
      ...batch,
      events: batch.events.filter(({ stream, revision }) => stream !== torn || revision !== 2),
    });
    const worker = await start((bus) => ({
      ...bus,
      consume: (options, { resume, handle }) =>
        bus.consume(options, { resume, handle: (batch) => handle(losing(batch)) }),
    }));
    await untilFollowing();
    await write(torn, ['one', 'two', 'three', 'four']);
    await write(whole, ['one', 'two', 'three', 'four']);
    for (const projection of projections) await untilSeen(projection, ports.log, ports.pool);
    await worker.stop();

    const events = await followed(trail, ports.log);
    const idsOf = (stream: string) => events.filter((event) => event.stream === stream).map(({ id }) => id);
    const trails = await readTrails(ports.pool);
    expect(trails.get(streamId(torn))).toEqual(idsOf(torn).slice(0, 2));
    expect(trails.get(streamId(whole))).toEqual(idsOf(whole));
    expect(await writtenRows(tasks, ports.pool)).toMatchObject({
      [streamId(torn)]: { title: 'one', revision: 1 },
      [streamId(whole)]: { title: 'four', revision: 4 },
    });
    const alarms = worker.lines.filter(({ level, facts }) => level === 'error' && facts['stream'] === torn);
    expect(alarms.map(({ facts }) => facts['projection']).toSorted()).toEqual(['tasks', 'trail']);
    expect(String(alarms[0]!.facts['reason'])).toMatch(/^gap: revision 3 came, but 2/);

    const later = await start((bus) => bus);
    await write(streamName('task', newId()), []);
    await untilSeen(trail, ports.log, ports.pool);
    await later.stop();
    expect((await readTrails(ports.pool)).get(streamId(torn)), 'it stays stopped').toEqual(idsOf(torn).slice(0, 2));
  });

  test('a stale worker writes nothing', async () => {
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    let held = 0;
    let handled = 0;
    const holding = (bus: EventBus): EventBus => ({
      ...bus,
      consume: (options, { resume, handle }) =>
        bus.consume(options, {
          resume,
          handle: async (batch) => {
            held++;
            await released;
            return handle(batch).finally(() => handled++);
          },
        }),
    });
    const stale = await start(holding, [trail], 'ousted');
    await untilFollowing();
    const streams = Array.from({ length: 8 }, () => streamName('task', newId()));
    await Promise.all(streams.map((stream) => write(stream, ['one'])));
    await until('the first worker to hold batches', () => held > 0);
    const fresh = await start((bus) => bus, [trail]);
    await untilSeen(trail, ports.log, ports.pool);
    await Promise.all(
      streams.map(async (stream) =>
        fillLog(
          ports.log,
          [{ stream: streamName('task', newId()), events: [createdTask({ title: stream })] }],
          createRandom(2),
        ),
      ),
    );
    await untilSeen(trail, ports.log, ports.pool);
    await fresh.stop();

    const before = await everything(ports);
    release();
    await until('the stale worker to try', () => handled >= held);
    await stale.stop();
    expect(await everything(ports)).toEqual(before);
    expect(stale.lines.map(({ message }) => message)).toContain('stale batch dropped');
  });
});

/** All that projections have written: rows, how far each stream and each partition came. */
async function everything({ pool }: Ports): Promise<unknown[]> {
  const tables = ['trail_v1', 'streams', 'progress'];
  const all = tables.map((table) => pool.query(`select to_jsonb(t) as row from read_models.${table} t order by 1`));
  return (await Promise.all(all)).map(({ rows }) => rows as unknown);
}
