import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anyEvents } from '@workledger/infra/testing/events/any-event.ts';
import { createRandom, seeds, type Random } from '@workledger/infra/testing/events/random.ts';
import { untilTrue } from '@workledger/infra/testing/processes/until.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { newId, streamName } from '../contexts/stream.ts';
import type { EventLog } from '../event-log/port.ts';
import { createPostgresEventLog } from '../event-log/postgres/event-log.ts';
import { createInProcessBus } from './in-process/in-process-bus.ts';
import { partitionKey, type EventBus, type Offset } from './port.ts';
import { shareMembership } from './shared-membership.ts';
import { startConsumer, type TestConsumer } from './testing.ts';

let database: TestDatabase;
let log: EventLog;
let bus: EventBus;
beforeAll(async () => {
  database = await createTestDatabase();
  log = await createPostgresEventLog({ connectionString: database.url });
  bus = createInProcessBus(log);
});
afterAll(async () => {
  await bus.close();
  await log.close();
  await database.drop();
});

const CONSUMERS = 4;
const ROUNDS = 12;

/** One that fails now and then, stops and goes on from where it was; counted is only what it took without a failure. */
function createReader(shared: EventBus, random: Random, begin: ReadonlyMap<string, Offset>) {
  let progress = new Map(begin);
  const before: TestConsumer[] = [];
  const expected = new Map(begin);
  const gaps: string[] = [];
  let current: TestConsumer | null = null;
  return {
    start: () => {
      current ??= startConsumer(shared, {
        progress,
        handle: (batch) => {
          const key = partitionKey(batch);
          if (batch.from !== (expected.get(key) ?? 0n)) gaps.push(`${key}: ${batch.from}, not ${expected.get(key)}`);
          if (random.chance(0.2)) throw new Error('refused on purpose');
          expected.set(key, batch.next);
          return undefined;
        },
      });
    },
    stop: async () => {
      await current?.stop();
      if (current !== null) {
        progress = current.progress;
        before.push(current);
      }
      current = null;
    },
    events: () => [...before, ...(current === null ? [] : [current])].flatMap((each) => each.events()),
    gaps,
  };
}

describe('a membership that is shared', () => {
  it.each(seeds(3))(
    'misses and repeats nothing for any of its readers, whoever comes, goes or fails (seed %i)',
    async (seed) => {
      const random = createRandom(seed);
      const start = await bus.endOffsets(['task']);
      const shared = shareMembership(bus, { group: `shared-${newId()}`, topics: ['task'], consumers: CONSUMERS });
      const readers = Array.from({ length: CONSUMERS }, () => createReader(shared, random, start));
      const streams = Array.from({ length: 6 }, () => streamName('task', newId()));
      const revisions = new Map<string, number>();
      readers[0]!.start();
      for (let round = 0; round < ROUNDS; round++) {
        const stream = random.pick(streams);
        const count = 1 + random.below(30);
        const last = revisions.get(stream);
        await log.append(stream, anyEvents(count), last ?? 'none');
        revisions.set(stream, (last ?? -1) + count);
        const reader = random.pick(readers);
        if (random.chance(0.5)) await reader.stop();
        else reader.start();
      }
      for (const reader of readers) reader.start();
      const all = [...revisions].flatMap(([stream, last]) =>
        Array.from({ length: last + 1 }, (_, revision) => `${stream}@${revision}`),
      );
      await untilTrue(() => readers.every((reader) => reader.events().length >= all.length));
      await Promise.all(readers.map((reader) => reader.stop()));
      for (const reader of readers) {
        const read = reader.events();
        expect(read.map(({ stream, revision }) => `${stream}@${revision}`).toSorted()).toEqual(all.toSorted());
        for (const stream of revisions.keys())
          expect(read.filter((event) => event.stream === stream).map(({ revision }) => revision)).toEqual(
            Array.from({ length: revisions.get(stream)! + 1 }, (_, revision) => revision),
          );
        expect(reader.gaps).toEqual([]);
      }
    },
  );
});
