import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId, streamName } from '../../contexts/stream.ts';
import { anyEvent, collect } from '@workledger/infra/testing/events/any-event.ts';
import type { EventLog } from '../port.ts';
import { startDoubleServer, type DoubleServer } from './double/server.ts';
import { createEventStoreDbLog } from './event-log.ts';
import { PAGE_BYTES } from './read/read-call.ts';

const LARGE = 160;
const EVENT_BYTES = 250_000;

const stream = streamName('task', newId());
let double: DoubleServer;
let log: EventLog;
beforeAll(async () => {
  double = await startDoubleServer();
  log = await createEventStoreDbLog({ connectionString: double.connectionString });
  const body = 'x'.repeat(EVENT_BYTES);
  for (let revision = -1; revision < LARGE - 1; revision += 2) {
    const events = [anyEvent({ body }), anyEvent({ body })];
    await log.append(stream, events, revision < 0 ? 'none' : revision);
  }
});
afterAll(async () => {
  await log.close();
  await double.close();
});

/** How many events the server has sent, once it sends no more. */
async function sent(): Promise<number> {
  for (let before = -1; ; await pause(200)) {
    const { sent: now } = await double.counts();
    if (now === before) return now;
    before = now;
  }
}

/** What the adapter keeps, what the client and gRPC keep on either side, and what is on the way. */
const MOST_HELD = 2 * Math.ceil(PAGE_BYTES / EVENT_BYTES) + 60;

describe('over the largest events', () => {
  it.each(['forward', 'backward'] as const)('a stream is whole, page by page, %s', async (direction) => {
    const revisions = (await collect(log.readStream(stream, { direction }))).map(({ revision }) => revision);
    const all = Array.from({ length: LARGE }, (_, revision) => revision);
    expect(revisions).toEqual(direction === 'forward' ? all : all.reverse());
    expect(await collect(log.readStream(stream, { direction, limit: 11 }))).toHaveLength(11);
  });

  it('a reader of a stream who stops to think has a page, not the stream', async () => {
    const before = await sent();
    for await (const { revision } of log.readStream(stream)) {
      if (revision === 0) expect((await sent()) - before).toBeLessThan(MOST_HELD);
      break;
    }
  });

  it('a subscription gives a megabyte at a time, and holds the server back while nobody takes it', async () => {
    const before = await sent();
    const stopping = new AbortController();
    let seen = 0;
    let batches = 0;
    for await (const { events, caughtUp } of log.subscribe({ signal: stopping.signal })) {
      const bytes = events.reduce((sum, { data }) => sum + JSON.stringify(data).length, 0);
      expect(bytes).toBeLessThanOrEqual(PAGE_BYTES + EVENT_BYTES + 100);
      if (seen === 0 && events.length > 0) expect((await sent()) - before).toBeLessThan(MOST_HELD);
      seen += events.length;
      batches += 1;
      if (caughtUp) stopping.abort();
    }
    expect(seen).toBe(LARGE);
    expect(batches).toBeGreaterThanOrEqual(LARGE / (MOST_HELD / 2));
  });
});
