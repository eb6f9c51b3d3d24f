import {
  BACKWARDS,
  END,
  EventStoreDBClient,
  excludeSystemEvents,
  jsonEvent,
  NO_STREAM,
  START,
  streamNameFilter,
} from '@eventstore/db-client';
import type { AllStreamSubscription } from '@eventstore/db-client';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { newId } from '../../../contexts/stream.ts';
import { startDoubleServer, type DoubleServer } from './server.ts';

// The double answers the client as the real server was seen to; also through the calls that the adapter does not use.
let double: DoubleServer;
let client: EventStoreDBClient;
beforeAll(async () => {
  double = await startDoubleServer({ writeTimeoutMilliseconds: 50 });
  client = EventStoreDBClient.connectionString(double.connectionString);
});
afterAll(async () => {
  await client.dispose();
  await double.close();
});

const events = (count: number): ReturnType<typeof jsonEvent>[] =>
  Array.from({ length: count }, (_, number) => jsonEvent({ id: newId(), type: 'Counted', data: { number } }));
const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
};
const caughtUp = (subscription: AllStreamSubscription): Promise<void> =>
  new Promise((resolve, reject) => void subscription.on('caughtUp', resolve).on('error', reject));

it('answers an append with the last revision and position, and a conflict without a message', async () => {
  const [stream, written] = [`s-${newId()}`, events(3)];
  const first = await client.appendToStream(stream, written, { expectedRevision: NO_STREAM });
  expect(first).toMatchObject({ success: true, nextExpectedRevision: 2n });
  expect(await client.appendToStream(stream, written, { expectedRevision: NO_STREAM })).toEqual(first);
  const conflict = client.appendToStream(stream, events(1), { expectedRevision: 0n });
  await expect(conflict).rejects.toMatchObject({
    type: 'wrong-expected-version',
    message: '',
    streamName: stream,
    expectedVersion: 0n,
    actualVersion: 2n,
  });
  const missing = client.appendToStream(`s-${newId()}`, events(1), { expectedRevision: 4n });
  await expect(missing).rejects.toMatchObject({ expectedVersion: 4n, actualVersion: 'no_stream' });
  const large = jsonEvent({ type: 'Large', data: 'x'.repeat(1_100_000) });
  await expect(client.appendToStream(`s-${newId()}`, large)).rejects.toMatchObject({ maxAppendSize: 1_048_576 });
});

it('lets a repeat of what is being written run into a time-out', async () => {
  const [stream, written] = [`s-${newId()}`, events(1)];
  const append = (): Promise<unknown> => client.appendToStream(stream, written, { expectedRevision: NO_STREAM });
  const [first, second] = await Promise.allSettled([append(), append()]);
  expect(first.status).toBe('fulfilled');
  expect(second).toMatchObject({ status: 'rejected', reason: { type: 'deadline-exceeded' } });
});

it('reads a stream from a revision, that one included, and fails as the real one', async () => {
  const stream = `s-${newId()}`;
  await client.appendToStream(stream, events(5));
  const read = async (options: object): Promise<(bigint | undefined)[]> =>
    (await collect(client.readStream(stream, options))).map(({ event }) => event?.revision);
  expect(await read({ fromRevision: 3n })).toEqual([3n, 4n]);
  expect(await read({ fromRevision: 9n })).toEqual([]);
  expect(await read({ direction: BACKWARDS, fromRevision: END, maxCount: 2 })).toEqual([4n, 3n]);
  await expect(read({ maxCount: 0 })).rejects.toMatchObject({ type: 'unknown', code: 2 });
  await expect(collect(client.readStream(`s-${newId()}`))).rejects.toMatchObject({ type: 'stream-not-found' });
});

it('tells where the search of a filtered subscription stands, and when it has caught up', async () => {
  const stream = `wanted-${newId()}`;
  await client.appendToStream(`other-${newId()}`, events(100));
  await client.appendToStream(stream, events(1));
  const checkpoints: bigint[] = [];
  const checkpointReached = async (_: unknown, { commit }: { commit: bigint }): Promise<void> =>
    void checkpoints.push(commit);
  const filter = streamNameFilter({ prefixes: ['wanted-'], checkpointInterval: 1, checkpointReached });
  const subscription = client.subscribeToAll({ fromPosition: START, filter });
  const heard: string[] = [];
  subscription.on('data', ({ event }) => void heard.push(event?.streamId ?? ''));
  await caughtUp(subscription);
  await vi.waitUntil(() => heard.length === 1);
  expect(checkpoints.length).toBeGreaterThan(1);
  await subscription.unsubscribe();
});

it('begins a subscription behind its position, and refuses a position that it never gave', async () => {
  const stream = `s-${newId()}`;
  const { position } = await client.appendToStream(stream, events(2));
  await client.appendToStream(stream, events(2));
  const subscription = client.subscribeToAll({ fromPosition: position ?? START, filter: excludeSystemEvents() });
  const heard: (bigint | undefined)[] = [];
  subscription.on('data', ({ event }) => void heard.push(event?.revision));
  await caughtUp(subscription);
  await vi.waitUntil(() => heard.length >= 2);
  expect(heard).toEqual([2n, 3n]);
  await subscription.unsubscribe();
  const bad = client.subscribeToAll({ fromPosition: { commit: 1n, prepare: 1n } });
  await expect(caughtUp(bad)).rejects.toMatchObject({
    code: 2,
    message: expect.stringContaining('by handler') as string,
  });
});
