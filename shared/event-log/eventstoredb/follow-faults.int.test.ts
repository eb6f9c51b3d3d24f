import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { newId, streamName } from '../../contexts/stream.ts';
import type { EventLog } from '../port.ts';
import { anyEvents, collect } from '@workledger/infra/testing/events/any-event.ts';
import { startDoubleServer, type DoubleServer } from './double/server.ts';
import { createEventStoreDbLog } from './event-log.ts';
import { listen } from './testing.ts';

const range = (to: number): number[] => Array.from({ length: to }, (_, index) => index);
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

let double: DoubleServer;
let log: EventLog;
let errors: Error[];
let stream: string;
beforeAll(async () => {
  double = await startDoubleServer();
  log = await createEventStoreDbLog({
    connectionString: double.connectionString,
    answerMilliseconds: 1_000,
    patienceMilliseconds: 30_000,
    silenceMilliseconds: 200,
    onError: (error) => errors.push(error),
  });
});
beforeEach(() => {
  errors = [];
  stream = streamName('task', newId());
});
afterEach(async () => {
  await double.fault('thaw');
  await double.fault('back');
});
afterAll(async () => {
  await log.close();
  await double.close();
});

describe('a subscription', () => {
  it.each([
    ['cut', 'Connection dropped'],
    ['reset', 'Received RST_STREAM with code 0'],
    ['slow-consumer', null],
  ] as const)('goes on behind the last event after: %s', async (fault, told) => {
    const listener = listen(log, { after: await log.head() });
    await log.append(stream, anyEvents(5), 'none');
    await listener.heard(stream, 5);
    await listener.caughtUp();
    const { subscriptions } = await double.counts();
    await double.fault(fault);
    await log.append(stream, anyEvents(5), 4);
    await listener.heard(stream, 10);
    await log.append(stream, anyEvents(5), 9);
    await listener.heard(stream, 15);
    await listener.stop();
    expect(listener.revisions(stream)).toEqual(range(15));
    expect(listener.batches.filter(({ caughtUp }) => caughtUp)).toHaveLength(1);
    expect((await double.counts()).subscriptions).toBeGreaterThan(subscriptions);
    expect(errors.map(({ message }) => message)).toEqual(told === null ? [] : [expect.stringContaining(told)]);
  });

  it('waits for a server that is away, says so once, and goes on without a gap', async () => {
    const listener = listen(log, { after: await log.head() });
    await log.append(stream, anyEvents(3), 'none');
    await listener.heard(stream, 3);
    await double.fault('away');
    await pause(600);
    await double.fault('back');
    await log.append(stream, anyEvents(3), 2);
    await listener.heard(stream, 6);
    await listener.stop();
    expect(listener.revisions(stream)).toEqual(range(6));
    expect(errors).toHaveLength(1);
  });

  it('is replaced when the server froze under it', async () => {
    const listener = listen(log, { after: await log.head() });
    await log.append(stream, anyEvents(3), 'none');
    await listener.heard(stream, 3);
    const { subscriptions } = await double.counts();
    await double.fault('freeze');
    await pause(2_500);
    await double.fault('thaw');
    await log.append(stream, anyEvents(3), 2);
    await listener.heard(stream, 6);
    await listener.stop();
    expect(listener.revisions(stream)).toEqual(range(6));
    expect((await double.counts()).subscriptions).toBeGreaterThan(subscriptions);
  });

  it('is replaced when it is silent though there is news', async () => {
    const listener = listen(log, { after: await log.head() });
    await log.append(stream, anyEvents(3), 'none');
    await listener.heard(stream, 3);
    await listener.caughtUp();
    await double.fault('silence');
    await log.append(stream, anyEvents(3), 2);
    await listener.heard(stream, 6);
    await listener.stop();
    expect(listener.revisions(stream)).toEqual(range(6));
    expect(errors).toEqual([]);
  });

  it('is left alone while the log is silent, or has news for others only', async () => {
    const before = (await double.counts()).subscriptions;
    const idle = listen(log, { after: await log.head() });
    const filtered = listen(log, { after: await log.head(), streams: ['agent'] });
    await idle.caughtUp();
    await filtered.caughtUp();
    await pause(700);
    expect((await double.counts()).subscriptions).toBe(before + 2);
    await log.append(stream, anyEvents(3), 'none');
    await vi.waitUntil(async () => (await double.counts()).subscriptions >= before + 3, { timeout: 20_000 });
    await pause(1_000);
    // Each asks again once at most, where the server was slow to tell it; not after each 200 ms.
    expect((await double.counts()).subscriptions).toBeLessThanOrEqual(before + 4);
    await idle.stop();
    await filtered.stop();
  });

  it('loses nothing and keeps little when its consumer is slow while events come', async () => {
    const after = await log.head();
    const { subscriptions } = await double.counts();
    const stopping = new AbortController();
    const revisions: number[] = [];
    const reading = (async () => {
      for await (const { events } of log.subscribe({ after, signal: stopping.signal })) {
        for (const event of events) if (event.stream === stream) revisions.push(event.revision);
        if (revisions.length >= 4_000) stopping.abort();
        await pause(events.length > 0 ? 20 : 0);
      }
    })();
    for (let times = 0; times < 20; times++)
      await log.append(stream, anyEvents(200), times === 0 ? 'none' : times * 200 - 1);
    await reading;
    expect(revisions).toEqual(range(4_000));
    expect((await double.counts()).subscriptions).toBeGreaterThan(subscriptions + 1);
  });

  it('fails on a position that the log never gave, instead of trying for ever', async () => {
    await expect(listen(log, { after: 7n }).stop()).resolves.toBeUndefined();
    const stopping = new AbortController();
    const reading = log.subscribe({ after: 7n, signal: stopping.signal })[Symbol.asyncIterator]();
    await expect(reading.next()).rejects.toThrow(/Exception was thrown by handler/);
  });
});

describe('reading the log', () => {
  it('goes on behind the last event when the connection is lost in the middle', async () => {
    const after = await log.head();
    await log.append(stream, anyEvents(1_000), 'none');
    await log.append(stream, anyEvents(1_000), 999);
    const revisions: number[] = [];
    for await (const event of log.readAll({ after })) {
      if (event.stream !== stream) continue;
      revisions.push(event.revision);
      if (revisions.length === 50 || revisions.length === 1_200) await double.fault('cut');
    }
    expect(revisions).toEqual(range(2_000));
  });

  it('ends with an error while the server stays away, never as if that were all', async () => {
    const after = await log.head();
    await log.append(stream, anyEvents(1_000), 'none');
    const impatient = await createEventStoreDbLog({
      connectionString: double.connectionString,
      patienceMilliseconds: 2_000,
    });
    const reading = impatient.readAll({ after })[Symbol.asyncIterator]();
    await reading.next();
    await double.fault('away');
    const rest = (async () => {
      while (!(await reading.next()).done);
    })();
    await expect(rest).rejects.toThrow(/EventStoreDB cannot be reached/);
    await impatient.close();
  });

  it('ends with an error when the log is closed under it', async () => {
    const closing = await createEventStoreDbLog({ connectionString: double.connectionString });
    await closing.append(stream, anyEvents(1_000), 'none');
    await closing.append(stream, anyEvents(1_000), 999);
    const reading = closing.readAll()[Symbol.asyncIterator]();
    await reading.next();
    await closing.close();
    const rest = (async () => {
      while (!(await reading.next()).done);
    })();
    await expect(rest).rejects.toThrow(/closed before the end was reached/);
  });

  it('ends with the reason when its signal aborts', async () => {
    await log.append(stream, anyEvents(10), 'none');
    const stopping = new AbortController();
    const reading = (async () => {
      for await (const event of log.readAll({ signal: stopping.signal }))
        if (event.revision >= 0) stopping.abort(new Error('enough'));
    })();
    await expect(reading).rejects.toThrow('enough');
    await expect(collect(log.readAll({ signal: stopping.signal }))).rejects.toThrow('enough');
  });
});
