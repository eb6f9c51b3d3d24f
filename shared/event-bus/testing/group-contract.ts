import { untilTrue } from '@workledger/infra/testing/processes/until.ts';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { newId, streamName } from '../../contexts/stream.ts';
import type { BusUnderTest } from '../contract.ts';
import { type EventBus, partitionKey, type BusBatch, type Consumer, type Offset } from '../port.ts';
import type { RecordedEvent } from '../../events/recorded-event.ts';

export type GroupBusUnderTest = BusUnderTest & {
  /** The same bus as another process opens it. The suite closes it. */
  another(): EventBus;
};

const upTo = (count: number): number[] => Array.from({ length: count }, (_, number) => number);

/** What adapters do, beside the contract of all, that share a group's partitions among several members. */
export function eventBusGroupContract(name: string, underTest: () => GroupBusUnderTest): void {
  describe(`event bus with several members a group: ${name}`, () => {
    const opened: EventBus[] = [];
    afterEach(async () => {
      for (const bus of opened.splice(0)) await bus.close();
    });

    function join(progress: SharedProgress, group: string, member: string): { leave(): Promise<void> } {
      const bus = underTest().another();
      opened.push(bus);
      const leaving = new AbortController();
      const options = { group, topics: ['task'] as const, signal: leaving.signal };
      const consuming = bus.consume(options, progress.consumer(member));
      return {
        leave: () => {
          leaving.abort();
          return consuming;
        },
      };
    }

    it('loses and reorders nothing while members join and leave', async () => {
      const { bus, feed } = underTest();
      const progress = createSharedProgress(await bus.endOffsets(['task']));
      const group = `test-${newId()}`;
      const streams = Array.from({ length: 24 }, () => streamName('task', newId()));
      const feedAll = async (): Promise<void> => {
        for (const stream of streams) await feed(stream, 2);
      };
      const by = (member: string): number => progress.handled.filter((entry) => entry.by === member).length;

      const first = join(progress, group, 'first');
      await feedAll();
      await untilTrue(() => by('first') > 0);
      const second = join(progress, group, 'second');
      let rounds = 1;
      // A member may join later than it takes to feed all rounds.
      while (by('second') === 0 && rounds < 50) {
        await feedAll();
        rounds += 1;
        await pause(100);
      }
      await feedAll();
      await second.leave();
      await feedAll();
      rounds += 2;
      await untilTrue(() => progress.handled.length >= streams.length * 2 * rounds);
      await first.leave();

      expect(by('second')).toBeGreaterThan(0);
      for (const stream of streams) expect(progress.revisions(stream)).toEqual(upTo(2 * rounds));
    });

    it('shares the partitions: of two members that stay, each handles some and no event comes to both', async () => {
      const { bus, feed } = underTest();
      const progress = createSharedProgress(await bus.endOffsets(['task']));
      const group = `test-${newId()}`;
      const members = ['first', 'second'].map((member) => join(progress, group, member));
      const streams = Array.from({ length: 24 }, () => streamName('task', newId()));
      const handledBy = (): Set<string> => new Set(progress.handled.map(({ by }) => by));
      let rounds = 0;
      while (handledBy().size < 2 && rounds < 50) {
        for (const stream of streams) await feed(stream, 1);
        rounds += 1;
        await pause(100);
      }
      await untilTrue(() => progress.handled.length >= streams.length * rounds);
      for (const member of members) await member.leave();
      expect([...handledBy()].sort()).toEqual(['first', 'second']);
      for (const stream of streams) expect(progress.revisions(stream)).toEqual(upTo(rounds));
    });
  });
}

type SharedProgress = {
  /** A consumer that keeps its progress here, as every member of its group does. */
  consumer(name: string): Consumer;
  /** What was handled, in order, by whom. */
  readonly handled: { readonly by: string; readonly event: RecordedEvent }[];
  revisions(stream: string): number[];
};

/** Progress of a group in one place, as a database keeps it: a batch that does not start where the last one ended is stale. */
function createSharedProgress(start: ReadonlyMap<string, Offset>): SharedProgress {
  const progress = new Map(start);
  const handled: { by: string; event: RecordedEvent }[] = [];
  return {
    handled,
    revisions: (stream) => handled.filter(({ event }) => event.stream === stream).map(({ event }) => event.revision),
    consumer: (by) => ({
      resume: () => Promise.resolve(new Map(progress)),
      handle: async (batch: BusBatch): Promise<Offset> => {
        // As long as a transaction takes: members overlap in it.
        await new Promise((resolve) => setTimeout(resolve, 2));
        const stored = progress.get(partitionKey(batch)) ?? 0n;
        if (stored !== batch.from) return stored;
        progress.set(partitionKey(batch), batch.next);
        for (const event of batch.events) handled.push({ by, event });
        return batch.next;
      },
    }),
  };
}
