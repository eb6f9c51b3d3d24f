import { expect, it } from 'vitest';
import { createdTask, newTaskStream, retitled } from '@workledger/infra/testing/events/task-events.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';
import { tasks } from '../tasks/projection.ts';
import { untilHolds } from '../testing/engine.ts';
import {
  POISON,
  TOO_MUCH,
  database,
  log,
  mend,
  logger,
  start,
  append,
  select,
  titleOf,
  parked,
  ask,
  isTried,
  expectRebuiltEqualsLive,
  fragile,
  neighbourOf,
  useFragileWorld,
} from '../testing/fragile.ts';
import { targetOf, type Projection } from './projection.ts';
import { redrive } from './redrive.ts';

const target = targetOf(fragile);

useFragileWorld();

it('a poison event parks its own stream; a redrive applies what waited behind it once and in order, while live batches go on', async () => {
  const stream = newTaskStream();
  const neighbour = neighbourOf(stream);
  const stop = start();
  await append(stream, 0, createdTask({ title: 'fine' }), retitled(POISON), retitled('behind'));
  await append(neighbour, 0, createdTask({}), retitled('elsewhere'));
  await untilHolds(async () => expect(await titleOf(neighbour)).toBe('elsewhere'));
  expect(await parked()).toEqual([{ stream, revision: 0, reason: 'Error: cannot digest this' }]);
  expect(await titleOf(stream)).toBe('fine');

  // Before it is mended it fails as before.
  await ask(stream);
  await isTried();
  expect(await parked()).toMatchObject([{ stream, revision: 0 }]);

  mend();
  let last = 2;
  const over = new AbortController();
  const live = (async () => {
    for (let revision = 2; !over.signal.aborted; revision++) {
      await append(neighbour, revision, retitled(`elsewhere ${revision}`));
      await append(stream, last + 1, retitled(`live ${++last}`));
    }
  })();
  // More than a page of them.
  await untilHolds(async () => expect(last).toBeGreaterThan(120));
  await ask(stream);
  await isTried().finally(() => over.abort());
  await live;
  await untilHolds(async () => expect(await titleOf(stream)).toBe(`live ${last}`));
  expect(await parked()).toEqual([]);
  const [standing] = await select<{ revision: number }>('select revision from read_models.streams where stream = $1', [
    stream,
  ]);
  expect(standing?.revision).toBe(last);
  await expectRebuiltEqualsLive();
  await stop();
});

it('long streams are redriven by pages, and what went well before another poison is kept', async () => {
  const stream = newTaskStream();
  const stop = start();
  await append(stream, 0, createdTask({}), retitled(POISON));
  for (let from = 2; from < 252; from += 50)
    await append(stream, from, ...Array.from({ length: 50 }, (_, index) => retitled(`t${from + index}`)));
  await append(stream, 252, retitled(TOO_MUCH), retitled('behind'));
  await untilHolds(async () => expect(await parked()).toHaveLength(1));
  await stop();

  const heard: { from: number; given: number }[] = [];
  const counting: Pick<EventLog, 'readStream'> = {
    async *readStream(of, options = {}) {
      const read = { from: options.from ?? 0, given: 0 };
      heard.push(read);
      for await (const event of log.readStream(of, options)) {
        read.given++;
        yield event;
      }
    },
  };
  const mendedButFor = { ...target, projection: { ...fragile, fold: foldsPoison } };
  const options = {
    ...{ targets: [mendedButFor], log: counting, pool: database.pool, logger },
    ...{ signal: new AbortController().signal, onApplied: () => undefined },
  };
  await redrive(mendedButFor, stream, options);
  expect(await parked()).toEqual([{ stream, revision: 251, reason: expect.stringMatching(/out of range/) as string }]);
  expect(await titleOf(stream)).toBe('t251');
  expect(Math.max(...heard.map(({ given }) => given))).toBeLessThanOrEqual(101);
  expect(heard.slice(0, 3).map(({ from }) => from)).toEqual([0, 100, 200]);

  mend();
  await redrive(target, stream, { ...options, targets: [target] });
  expect(await parked()).toEqual([]);
  expect(await titleOf(stream)).toBe('behind');
  await expectRebuiltEqualsLive();
});

it('in a partition that moves under every step a redrive gets its turn all the same', async () => {
  const stream = newTaskStream();
  const stop = start();
  await append(stream, 0, createdTask({}), retitled(POISON), retitled('behind'));
  await untilHolds(async () => expect(await parked()).toHaveLength(1));
  await stop();
  mend();
  let reads = 0;
  let moving: Promise<unknown> = Promise.resolve();
  const busy: Pick<EventLog, 'readStream'> = {
    async *readStream(of, options) {
      reads++;
      yield* log.readStream(of, options);
      // As a live batch would: where the redrive holds the partition, it waits.
      moving = select('update read_models.progress set next_offset = next_offset');
      await Promise.race([moving, pause(200)]);
    },
  };
  const { signal } = new AbortController();
  const told = { pool: database.pool, logger, signal, onApplied: () => undefined };
  await redrive(target, stream, { targets: [target], log: busy, ...told });
  await moving;
  expect(reads).toBe(6);
  expect(await titleOf(stream)).toBe('behind');
  expect(await parked()).toEqual([]);
});

/** Mended for the poison, not for the row that does not fit. */
const foldsPoison: Projection['fold'] = (row, event, id) => {
  const next = tasks.fold(row, event, id);
  const { title } = event.data as { title?: string };
  return title === TOO_MUCH ? ({ ...next, attempts: 2 ** 40 } as typeof next) : next;
};

const plantMark = (stream: string, revision: number, eventId: string, reason: string): Promise<object[]> =>
  select(
    `update read_models.streams set revision = $2, event_id = $3, parked_at = now(), reason = $4,
       parked_revision = $5, parked_event_id = $3 where stream = $1`,
    [stream, revision, eventId, reason, reason.startsWith('gap') ? revision + 2 : revision],
  );

it('a gap is closed from the log; what was applied instead of an event of the log stays parked', async () => {
  const [torn, other] = [newTaskStream(), newTaskStream()];
  const stop = start();
  for (const stream of [torn, other]) await append(stream, 0, createdTask({ title: 'one' }), retitled('two'));
  for (const stream of [torn, other]) await untilHolds(async () => expect(await titleOf(stream)).toBe('two'));
  const [last] = await select<{ id: string }>(
    'select event_id::text as id from read_models.streams where stream = $1',
    [torn],
  );
  await plantMark(torn, 1, last!.id, 'gap: revision 3 came, but 2 was never seen');
  await plantMark(other, 1, newId(), 'conflict: revision 1 is another event');
  for (const stream of [torn, other]) await append(stream, 2, retitled('three'), retitled('four'));
  for (const stream of [torn, other]) await ask(stream);
  await isTried();
  await untilHolds(async () => expect(await titleOf(torn)).toBe('four'));
  expect(await parked()).toEqual([
    { stream: other, revision: 1, reason: expect.stringMatching(/^conflict/) as string },
  ]);
  await append(torn, 4, retitled('on'));
  await untilHolds(async () => expect(await titleOf(torn)).toBe('on'));
  await stop();
});
