import { untilTrue } from '@workledger/infra/testing/processes/until.ts';
import { describe, expect, it } from 'vitest';
import { contextOf } from '../events/catalogue.ts';
import type { RecordedEvent } from '../events/recorded-event.ts';
import { newId, streamName } from '../contexts/stream.ts';
import { partitionOf } from './partition.ts';
import { partitionKey, type BusBatch, type EventBus, type TopicPartition } from './port.ts';
import { startConsumer } from './testing.ts';

export type BusUnderTest = {
  readonly bus: EventBus;
  /** Puts so many new events at the end of a stream, on to the bus. */
  feed(stream: string, count: number): Promise<readonly RecordedEvent[]>;
};

const task = (): string => streamName('task', newId());
const revisions = (events: readonly RecordedEvent[]): number[] => events.map(({ revision }) => revision);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, number) => number);
const partition = (stream: string): TopicPartition => ({ topic: 'task', partition: partitionOf(stream) });

/** Two streams of different partitions. */
function apart(): [string, string] {
  const first = task();
  let second = task();
  while (partitionOf(second) === partitionOf(first)) second = task();
  return [first, second];
}

/** What every adapter of the event bus does. Runs on a bus that others use, too. */
export function eventBusContract(name: string, underTest: () => BusUnderTest): void {
  const ends = async (): ReturnType<EventBus['endOffsets']> => underTest().bus.endOffsets(['task', 'agent']);

  describe(`event bus: ${name}`, () => {
    it('hands every event of a stream on in order, whole, in the partition of its stream', async () => {
      const { bus, feed } = underTest();
      const consumer = startConsumer(bus, { progress: await ends() });
      const streams = Array.from({ length: 20 }, task);
      const fed = (
        await Promise.all(streams.map(async (stream) => [...(await feed(stream, 3)), ...(await feed(stream, 4))]))
      ).flat();
      await untilTrue(() => consumer.events().length >= fed.length);
      await consumer.stop();
      for (const stream of streams) expect(revisions(consumer.events(stream))).toEqual(upTo(7));
      const byId = new Map(consumer.events().map((event) => [event.id, event]));
      for (const event of fed) expect(byId.get(event.id)).toEqual(event);
      for (const batch of consumer.batches)
        for (const event of batch.events)
          expect([contextOf(event.stream), partitionOf(event.stream)]).toEqual([batch.topic, batch.partition]);
    });

    it('starts a batch where the one before it ended, and gives what happened before it started', async () => {
      const { bus, feed } = underTest();
      const progress = await ends();
      const stream = task();
      await feed(stream, 5);
      const consumer = startConsumer(bus, { progress });
      await untilTrue(() => consumer.events(stream).length === 5);
      await feed(stream, 5);
      await untilTrue(() => consumer.events(stream).length === 10);
      await consumer.stop();
      const at = new Map(progress);
      for (const batch of consumer.batches) {
        expect(batch.from).toBe(at.get(partitionKey(batch)));
        expect(batch.next > batch.from).toBe(true);
        at.set(partitionKey(batch), batch.next);
      }
      expect(revisions(consumer.events(stream))).toEqual(upTo(10));
    });

    it('starts from the start where the consumer knows no progress', async () => {
      const { bus, feed } = underTest();
      const stream = task();
      await feed(stream, 3);
      const consumer = startConsumer(bus);
      await untilTrue(() => consumer.events(stream).length === 3);
      await consumer.stop();
      expect(revisions(consumer.events(stream))).toEqual(upTo(3));
    });

    it('goes on from the progress that the consumer kept, after a stop', async () => {
      const { bus, feed } = underTest();
      const stream = task();
      const group = `test-${newId()}`;
      const first = startConsumer(bus, { group, progress: await ends() });
      await feed(stream, 4);
      await untilTrue(() => first.events(stream).length === 4);
      await first.stop();
      await feed(stream, 3);
      const second = startConsumer(bus, { group, progress: first.progress });
      await untilTrue(() => second.events(stream).length >= 3);
      await second.stop();
      expect(revisions(second.events(stream))).toEqual([4, 5, 6]);
    });

    it('brings a batch again whose handler threw, and does not keep the other partitions waiting', async () => {
      const { bus, feed } = underTest();
      const [poisoned, healthy] = apart();
      const refused: BusBatch[] = [];
      let mended = false;
      const consumer = startConsumer(bus, {
        progress: await ends(),
        handle: (batch) => {
          if (mended || batch.events.every(({ stream }) => stream !== poisoned)) return undefined;
          refused.push(batch);
          throw new Error('refused on purpose');
        },
      });
      await feed(poisoned, 2);
      await untilTrue(() => refused.length >= 1);
      await feed(healthy, 5);
      await untilTrue(() => consumer.events(healthy).length === 5);
      await untilTrue(() => refused.length >= 2);
      expect(consumer.events(poisoned)).toEqual([]);
      for (const batch of refused) expect(batch.from).toBe(refused[0]?.from);
      mended = true;
      await untilTrue(() => consumer.events(poisoned).length >= 2);
      await consumer.stop();
      expect(revisions(consumer.events(poisoned))).toEqual([0, 1]);
    });

    it('seeks to the offset that the handler answers', async () => {
      const { bus, feed } = underTest();
      const stream = task();
      const progress = await ends();
      const start0 = progress.get(partitionKey(partition(stream)));
      let seeks = 0;
      const consumer = startConsumer(bus, {
        progress,
        handle: (batch) => {
          const isLast = batch.events.some((event) => event.stream === stream && event.revision === 5);
          if (!isLast || seeks === 1) return undefined;
          seeks += 1;
          return start0;
        },
      });
      for (let times = 0; times < 3; times++) await feed(stream, 2);
      await untilTrue(() => consumer.events(stream).length >= 12);
      await feed(stream, 1);
      await untilTrue(() => consumer.events(stream).length >= 13);
      await consumer.stop();
      expect(revisions(consumer.events(stream))).toEqual([...upTo(6), ...upTo(6), 6]);
    });

    it('tells an end that everything before has passed and everything after is still to come', async () => {
      const { bus, feed } = underTest();
      const stream = task();
      await feed(stream, 3);
      const progress = await ends();
      expect([...progress.keys()].sort()).toEqual(
        (['task', 'agent'] as const).flatMap((topic) => upTo(12).map((number) => `${topic}/${number}`)).sort(),
      );
      await feed(stream, 2);
      const consumer = startConsumer(bus, { progress });
      await untilTrue(() => consumer.events(stream).length >= 2);
      await consumer.stop();
      expect(revisions(consumer.events(stream))).toEqual([3, 4]);
    });

    it('gives the topics asked for, and no others', async () => {
      const { bus, feed } = underTest();
      const [agent, ofTask] = [streamName('agent', newId()), task()];
      const consumer = startConsumer(bus, { progress: await ends(), topics: ['agent'] });
      await feed(ofTask, 2);
      await feed(agent, 2);
      await untilTrue(() => consumer.events(agent).length === 2);
      await consumer.stop();
      expect(consumer.events(ofTask)).toEqual([]);
      for (const batch of consumer.batches) expect(batch.topic).toBe('agent');
    });

    it('ends only when the batch in hand is done', async () => {
      const { bus, feed } = underTest();
      const stream = task();
      let release = (): void => undefined;
      const held = new Promise<void>((resolve) => (release = resolve));
      let entered = false;
      const consumer = startConsumer(bus, {
        progress: await ends(),
        handle: async () => {
          entered = true;
          await held;
          return undefined;
        },
      });
      await feed(stream, 1);
      await untilTrue(() => entered);
      let ended = false;
      const stopping = consumer.stop().then(() => (ended = true));
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(ended).toBe(false);
      release();
      await stopping;
      expect(revisions(consumer.events(stream))).toEqual([0]);
    });

    it('handles one batch of a partition at a time', async () => {
      const { bus, feed } = underTest();
      const stream = task();
      const busy = new Set<string>();
      let overlapped = false;
      const consumer = startConsumer(bus, {
        progress: await ends(),
        handle: async (batch) => {
          const key = partitionKey(batch);
          overlapped ||= busy.has(key);
          busy.add(key);
          await new Promise((resolve) => setTimeout(resolve, 5));
          busy.delete(key);
          return undefined;
        },
      });
      for (let times = 0; times < 10; times++) await feed(stream, 2);
      await untilTrue(() => consumer.events(stream).length === 20);
      await consumer.stop();
      expect(overlapped).toBe(false);
    });

    it('gives every group everything', async () => {
      const { bus, feed } = underTest();
      const stream = task();
      const progress = await ends();
      const groups = [startConsumer(bus, { progress }), startConsumer(bus, { progress })];
      await feed(stream, 5);
      for (const consumer of groups) await untilTrue(() => consumer.events(stream).length === 5);
      await Promise.all(groups.map((consumer) => consumer.stop()));
      for (const consumer of groups) expect(revisions(consumer.events(stream))).toEqual(upTo(5));
    });
  });
}
