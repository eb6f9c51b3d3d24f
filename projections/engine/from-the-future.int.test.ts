import { expect, it } from 'vitest';
import { anyEvents } from '@workledger/infra/testing/events/any-event.ts';
import { createdTask, newTaskStream, retitled } from '@workledger/infra/testing/events/task-events.ts';
import { openRedrives } from '@workledger/shared/consumption/redrives.ts';
import { partitionOf } from '@workledger/shared/event-bus/partition.ts';
import { FromTheFuture } from '@workledger/shared/events/codec.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';
import { untilHolds } from '../testing/engine.ts';
import {
  POISON,
  database,
  log,
  waits,
  logged,
  fragile,
  mend,
  start,
  append,
  select,
  titleOf,
  parked,
  ask,
  isTried,
  expectRebuiltEqualsLive,
  neighbourOf,
  useFragileWorld,
} from '../testing/fragile.ts';
import { rebuild } from './rebuild.ts';

useFragileWorld();

/** As a newer program would write it. */
const future = () => ({ ...anyEvents(1)[0]!, type: 'TaskTeleported', version: 1 });
/** An updated program knows it: here, it becomes an event that this one knows, too. */
const update = (): Promise<object[]> =>
  select(`alter table event_log.events disable trigger events_are_final;
    update event_log.events set type = 'TaskDetailsChanged', data = '{"title":"known"}'
    where type = 'TaskTeleported'`);
const told = (): number => logged.filter((message) => message.includes('waits for an update')).length;

it('an event from the future holds its partition, is told once, parks nothing, and is gone past after the update', async () => {
  const held = newTaskStream();
  const behind = neighbourOf(held);
  let elsewhere = newTaskStream();
  while (partitionOf(elsewhere) === partitionOf(held)) elsewhere = newTaskStream();
  let stop = start();
  await append(held, 0, createdTask({ title: 'live' }));
  await untilHolds(async () => expect(await titleOf(held)).toBe('live'));
  await append(held, 1, retitled('before'));
  await log.append(held, [future()], 1);
  await append(behind, 0, createdTask({ title: 'behind' }));
  await append(elsewhere, 0, createdTask({ title: 'elsewhere' }));
  await untilHolds(async () => expect(await titleOf(elsewhere)).toBe('elsewhere'));
  await untilHolds(async () => expect(await titleOf(held)).toBe('before'));
  await untilHolds(async () => expect(waits.size).toBe(1));
  await pause(500);
  expect([...waits]).toEqual([
    [`projections at task/${partitionOf(held)}`, expect.stringMatching(/TaskTeleported v1 .*update it/)],
  ]);
  expect(told()).toBe(1);
  expect(await titleOf(behind)).toBeUndefined();
  expect(await parked()).toEqual([]);
  await stop();
  await update();
  stop = start();
  await untilHolds(async () => expect(await titleOf(behind)).toBe('behind'));
  expect(await titleOf(held)).not.toBe('before');
  await expectRebuiltEqualsLive();
  await stop();
});

it('in a catch-up and in a rebuild an event from the future is waited for, too', async () => {
  const [stream, behind] = [newTaskStream(), newTaskStream()];
  await append(stream, 0, createdTask({ title: 'before' }));
  await log.append(stream, [future()], 0);
  await append(behind, 0, createdTask({ title: 'behind' }));
  let stop = start();
  await untilHolds(async () => expect(await titleOf(stream)).toBe('before'));
  await untilHolds(async () => expect([...waits.keys()]).toEqual(['projections at the log (tasks)']));
  await pause(500);
  expect(told()).toBe(1);
  expect(await parked()).toEqual([]);
  const rebuilding = rebuild({ projection: fragile, pool: database.pool, schema: 'rebuilt', events: log.readAll() });
  await expect(rebuilding).rejects.toThrow(FromTheFuture);
  await stop();
  await update();
  stop = start();
  await untilHolds(async () => expect(await titleOf(behind)).toBe('behind'));
  await stop();
});

it('a redrive that meets an event from the future leaves its stream parked and open, until the update', async () => {
  const stream = newTaskStream();
  let stop = start();
  await append(stream, 0, createdTask({ title: 'fine' }), retitled(POISON));
  await untilHolds(async () => expect(await parked()).toHaveLength(1));
  await log.append(stream, [future()], 1);
  mend();
  await ask(stream);
  await pause(1_500);
  expect(await parked()).toHaveLength(1);
  expect(await openRedrives(database.pool, 'read_models')).toHaveLength(1);
  await stop();
  await update();
  stop = start();
  await isTried();
  expect(await parked()).toEqual([]);
  await stop();
});
