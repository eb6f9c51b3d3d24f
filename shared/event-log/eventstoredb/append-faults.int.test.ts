import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { newId, streamName } from '../../contexts/stream.ts';
import { OutcomeUnknown, RevisionConflict } from '../errors.ts';
import type { EventLog } from '../port.ts';
import { anyEvent, anyEvents, collect } from '@workledger/infra/testing/events/any-event.ts';
import { startDoubleServer, type DoubleServer } from './double/server.ts';
import { createEventStoreDbLog } from './event-log.ts';

let double: DoubleServer;
let log: EventLog;
beforeAll(async () => {
  double = await startDoubleServer();
  log = await createEventStoreDbLog({
    connectionString: double.connectionString,
    answerMilliseconds: 800,
    patienceMilliseconds: 6_000,
  });
});
afterEach(async () => {
  await double.fault('thaw');
  await double.fault('back');
});
afterAll(async () => {
  await log.close();
  await double.close();
});
const newStream = (): string => streamName('task', newId());
const idsOf = async (stream: string): Promise<string[]> => (await collect(log.readStream(stream))).map(({ id }) => id);

it.each(['drop-before-write', 'drop-after-write', 'lose-answer', 'duplicate-ids'] as const)(
  'an append stands once, and its caller hears so: %s',
  async (fault) => {
    const stream = newStream();
    const events = anyEvents(3);
    await log.append(stream, events.slice(0, 1), 'none');
    await double.fault(fault);
    const result = await log.append(stream, events.slice(1), 0);
    const recorded = await collect(log.readStream(stream));
    expect(recorded.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
    expect(result).toEqual({ revision: 2, position: recorded[2]?.position });
  },
);

it('the stream is asked before an append is sent again: one that was written is not sent a second time', async () => {
  const before = (await double.counts()).appends;
  await double.fault('drop-after-write');
  await log.append(newStream(), anyEvents(2), 'none');
  expect((await double.counts()).appends).toBe(before + 1);
  await double.fault('drop-before-write');
  await log.append(newStream(), anyEvents(2), 'none');
  expect((await double.counts()).appends).toBe(before + 3);
});

it('an append of which another writer was first is refused, and names where the stream is', async () => {
  const stream = newStream();
  await double.fault('conflict');
  const conflict = await log.append(stream, anyEvents(2), 'none').catch((error: unknown) => error);
  expect(conflict).toBeInstanceOf(RevisionConflict);
  expect(conflict).toMatchObject({ stream, expected: 'none', actual: 0 });
});

it('an append whose connection was lost, and of which another writer was first meanwhile, is refused', async () => {
  const stream = newStream();
  await double.fault('drop-before-write');
  const lost = log.append(stream, anyEvents(2), 'none');
  await double.fault('conflict');
  const conflict = await lost.catch((error: unknown) => error);
  expect(conflict).toBeInstanceOf(RevisionConflict);
  expect(conflict).toMatchObject({ stream, expected: 'none', actual: 0 });
});

it('many appends at once survive a lost connection, large ones behind back-pressure, too', async () => {
  const patient = await createEventStoreDbLog({
    connectionString: double.connectionString,
    patienceMilliseconds: 40_000,
  });
  const streams = Array.from({ length: 60 }, newStream);
  const large = 'x'.repeat(50_000);
  await patient.append(newStream(), anyEvents(1), 'none');
  const appends = streams.map((stream) => patient.append(stream, [anyEvent({ large }), anyEvent()], 'none'));
  await new Promise((resolve) => setTimeout(resolve, 5));
  await double.fault('cut');
  expect((await Promise.all(appends)).map(({ revision }) => revision)).toEqual(streams.map(() => 1));
  for (const stream of streams) expect(await idsOf(stream)).toHaveLength(2);
  await patient.close();
});

it('a connection that fell silent is given up for a new one', async () => {
  const stream = newStream();
  await log.append(stream, anyEvents(1), 'none');
  await double.fault('half-open');
  expect((await log.append(stream, anyEvents(1), 0)).revision).toBe(1);
  await double.fault('half-open');
  expect(await idsOf(stream)).toHaveLength(2);
});

it('the lost connection of one log harms no append of another', async () => {
  const otherDouble = await startDoubleServer();
  const other = await createEventStoreDbLog({ connectionString: otherDouble.connectionString });
  const [stream, elsewhere] = [newStream(), newStream()];
  await other.append(elsewhere, anyEvents(1), 'none');
  await log.append(stream, anyEvents(1), 'none');
  const before = (await otherDouble.counts()).appends;
  const appends = Array.from({ length: 20 }, () => other.append(newStream(), anyEvents(1), 'none'));
  await double.fault('cut');
  await Promise.all(appends);
  expect((await otherDouble.counts()).appends).toBe(before + 20);
  await other.close();
  await otherDouble.close();
});

it('while the server is away the outcome is unknown; the same append succeeds when it is back', async () => {
  const stream = newStream();
  const events = anyEvents(2);
  await double.fault('away');
  await expect(log.append(stream, events, 'none')).rejects.toBeInstanceOf(OutcomeUnknown);
  await double.fault('back');
  expect((await log.append(stream, events, 'none')).revision).toBe(1);
  expect(await idsOf(stream)).toEqual(events.map(({ id }) => id));
});

it('an append gets over a server that is away for a moment', async () => {
  const stream = newStream();
  await double.fault('away');
  const appending = log.append(stream, anyEvents(2), 'none');
  await new Promise((resolve) => setTimeout(resolve, 300));
  await double.fault('back');
  expect((await appending).revision).toBe(1);
});

it('a frozen server leaves the outcome unknown, by our own deadline', async () => {
  // Without keep-alive, nothing but our own deadline ends a call.
  const alone = await createEventStoreDbLog({
    connectionString: `${double.connectionString}&keepAliveInterval=-1`,
    answerMilliseconds: 300,
    patienceMilliseconds: 1_000,
  });
  const stream = newStream();
  await alone.append(newStream(), anyEvents(1), 'none');
  await double.fault('freeze');
  await expect(alone.append(stream, anyEvents(2), 'none')).rejects.toBeInstanceOf(OutcomeUnknown);
  await expect(collect(alone.readStream(stream))).rejects.toThrow(/EventStoreDB cannot be reached: .*no answer/);
  await expect(alone.head()).rejects.toThrow(/EventStoreDB cannot be reached/);
  await double.fault('thaw');
  await alone.close();
});

it('what a frozen server takes up when it thaws stands once, however often it was sent meanwhile', async () => {
  const streams = Array.from({ length: 10 }, newStream);
  await log.append(newStream(), anyEvents(1), 'none');
  await double.fault('freeze');
  const appends = streams.map((stream) => log.append(stream, anyEvents(2), 'none'));
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  await double.fault('thaw');
  const outcomes = await Promise.allSettled(appends);
  for (const outcome of outcomes)
    if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(OutcomeUnknown);
  await vi.waitFor(async () => {
    for (const stream of streams) expect(await idsOf(stream)).toHaveLength(2);
  });
});

it('finishes what was begun before it closes, and takes nothing afterwards', async () => {
  const closing = await createEventStoreDbLog({ connectionString: double.connectionString });
  const stream = newStream();
  const begun = closing.append(stream, anyEvents(2), 'none');
  await closing.close();
  expect((await begun).revision).toBe(1);
  await expect(closing.append(stream, anyEvents(1), 1)).rejects.toThrow('the event log is closed');
  await expect(collect(closing.readStream(stream))).rejects.toThrow('the event log is closed');
});
