import { setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId, streamName } from '../../contexts/stream.ts';
import type { EventLog } from '../port.ts';
import { anyEvents, collect } from '@workledger/infra/testing/events/any-event.ts';

/** Something that befalls the server, or the way to it, in the middle of reads. */
export type Disturbance = {
  /** How long it is in force: longer than what the adapter takes for silence. Milliseconds. */
  readonly lasts: number;
  strike(): Promise<void>;
  mend(): Promise<void>;
};

type Read = { readonly what: string; readonly gave: Promise<number | bigint>; readonly holds: number | bigint };

const SMALL = 40;
const LARGE = 1_300;
const READS = 60;

/** A read gives all that the log holds, or fails; whatever ends it. */
export function wholeReadsContract(
  makeLog: () => Promise<EventLog>,
  disturbances: Readonly<Record<string, Disturbance>>,
): void {
  describe('a read gives all that the log holds, or fails', () => {
    const small = Array.from({ length: SMALL }, () => streamName('task', newId()));
    const large = streamName('agent', newId());
    let log: EventLog;
    let before: bigint;
    let last: bigint;
    beforeAll(async () => {
      log = await makeLog();
      before = await log.head();
      await log.append(large, anyEvents(700, 'AgentErrorReported'), 'none');
      await log.append(large, anyEvents(LARGE - 700, 'AgentErrorReported'), 699);
      await Promise.all(small.map((stream) => log.append(stream, anyEvents(3), 'none')));
      last = (await log.append(large, anyEvents(1, 'AgentErrorCleared'), LARGE - 1)).position;
    });
    afterAll(() => log.close());

    const count = async (events: AsyncIterable<unknown>): Promise<number> => (await collect(events)).length;
    /** One of every kind in turn. */
    function begin(from: EventLog, number: number): Read {
      const stream = small[number % SMALL]!;
      switch (number % 5) {
        case 0:
          return { what: 'a stream of pages', holds: LARGE + 1, gave: count(from.readStream(large)) };
        case 1: {
          const ownEvents = from.readAll({ after: before, types: ['AgentErrorReported'], streams: ['agent'] });
          return { what: 'the log', holds: LARGE, gave: countOf(ownEvents, large) };
        }
        case 2:
          return { what: 'the head', holds: last, gave: from.head().then((head) => (head < last ? head : last)) };
        case 3:
          return {
            what: 'the end',
            holds: 1,
            gave: count(from.readStream(stream, { direction: 'backward', limit: 1 })),
          };
        default:
          return { what: 'a stream', holds: 3, gave: count(from.readStream(stream)) };
      }
    }

    /** @returns what was given short, and how many were whole */
    async function judge(reads: readonly Read[]): Promise<{ short: string[]; whole: number }> {
      const outcomes = await Promise.allSettled(reads.map(({ gave }) => gave));
      const short: string[] = [];
      let whole = 0;
      for (const [index, outcome] of outcomes.entries()) {
        const { what, holds } = reads[index]!;
        if (outcome.status === 'rejected') continue;
        if (outcome.value === holds) whole += 1;
        else short.push(`${what} gave ${outcome.value} of ${holds}`);
      }
      return { short, whole };
    }

    it.each(Object.entries(disturbances))('with many in flight: %s', async (_, disturbance) => {
      const reads: Read[] = [];
      const beginSome = async (milliseconds: number): Promise<void> => {
        for (let times = 0; times < READS / 3; times++) {
          const read = begin(log, reads.length);
          read.gave.catch(() => undefined);
          reads.push(read);
          await pause(milliseconds / (READS / 3));
        }
      };
      await beginSome(20);
      await disturbance.strike();
      await beginSome(disturbance.lasts);
      await disturbance.mend();
      await beginSome(300);
      const { short, whole } = await judge(reads);
      expect(short).toEqual([]);
      expect(whole).toBeGreaterThan(0);
      // Whatever it was, it has passed.
      const after = Array.from({ length: 5 }, (_, number) => begin(log, number));
      expect(await judge(after)).toEqual({ short: [], whole: 5 });
    });

    it('with many in flight: the log is closed', async () => {
      for (const milliseconds of [0, 1, 3, 10]) {
        const closing = await makeLog();
        await closing.head();
        const reads = Array.from({ length: READS }, (_, number) => begin(closing, number));
        for (const { gave } of reads) gave.catch(() => undefined);
        await pause(milliseconds);
        await closing.close();
        expect((await judge(reads)).short).toEqual([]);
      }
    });

    it('with many in flight: the reader’s signal aborts', async () => {
      const aborting = new AbortController();
      const reason = new Error('enough');
      const { signal } = aborting;
      setMaxListeners(0, signal);
      const reads = Array.from({ length: READS }, (_, number) => ({
        what: number % 2 === 0 ? 'a stream' : 'the log',
        holds: LARGE + 1,
        gave:
          number % 2 === 0
            ? count(log.readStream(large, { signal }))
            : countOf(log.readAll({ after: before, streams: ['agent'], signal }), large),
      }));
      for (const { gave } of reads) gave.catch(() => undefined);
      await pause(5);
      aborting.abort(reason);
      const outcomes = await Promise.allSettled(reads.map(({ gave }) => gave));
      expect((await judge(reads)).short).toEqual([]);
      for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toBe(reason);
    });
  });
}

async function countOf(events: AsyncIterable<{ readonly stream: string }>, wanted: string): Promise<number> {
  let found = 0;
  for await (const { stream } of events) if (stream === wanted) found += 1;
  return found;
}
