import { describe, expect, it, vi } from 'vitest';
import type { RecordedEvent } from '../../events/recorded-event.ts';
import { newId, streamName } from '../../contexts/stream.ts';
import { RevisionConflict } from '../errors.ts';
import type { EventLog } from '../port.ts';
import { anyEvents, collect } from '@workledger/infra/testing/events/any-event.ts';

export function writersContract(logs: () => readonly [EventLog, EventLog]): void {
  describe('two writers', () => {
    it('let exactly one create a stream', async () => {
      for (let times = 0; times < 20; times++) {
        const stream = streamName('task', newId());
        const outcomes = await Promise.allSettled(logs().map((log) => log.append(stream, anyEvents(2), 'none')));
        expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
        for (const outcome of outcomes)
          if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(RevisionConflict);
      }
    });

    it('answer the same to the same append', async () => {
      const stream = streamName('task', newId());
      const events = anyEvents(3);
      const [first, second] = await Promise.all(logs().map((log) => log.append(stream, events, 'none')));
      expect(second).toEqual(first);
      expect(await collect(logs()[0].readStream(stream))).toHaveLength(3);
    });

    it('take turns on one stream without losing anything', async () => {
      const stream = streamName('task', newId());
      await logs()[0].append(stream, anyEvents(1), 'none');
      const write = async (log: EventLog): Promise<void> => {
        for (let written = 0; written < 30;) {
          const [last] = await collect(log.readStream(stream, { direction: 'backward', limit: 1 }));
          try {
            await log.append(stream, anyEvents(1), last?.revision ?? 'none');
            written += 1;
          } catch (error) {
            if (!(error instanceof RevisionConflict)) throw error;
          }
        }
      };
      await Promise.all(logs().map(write));
      const revisions = (await collect(logs()[1].readStream(stream))).map(({ revision }) => revision);
      expect(revisions).toEqual(Array.from({ length: 61 }, (_, revision) => revision));
    });

    it('are both heard by one subscriber, each stream in order', async () => {
      const stopping = new AbortController();
      const heard = new Map<string, RecordedEvent[]>();
      const after = await logs()[0].head();
      const running = (async () => {
        for await (const { events } of logs()[0].subscribe({ after, signal: stopping.signal }))
          for (const event of events) heard.set(event.stream, [...(heard.get(event.stream) ?? []), event]);
      })();
      const streams = logs().flatMap((log) =>
        Array.from({ length: 10 }, () => ({ log, stream: streamName('task', newId()) })),
      );
      await Promise.all(
        streams.map(async ({ log, stream }) => {
          for (let revision = 0; revision < 20; revision++)
            await log.append(stream, anyEvents(1), revision === 0 ? 'none' : revision - 1);
        }),
      );
      await vi.waitUntil(() => streams.every(({ stream }) => (heard.get(stream)?.length ?? 0) >= 20), {
        timeout: 20_000,
      });
      stopping.abort();
      await running;
      for (const { stream } of streams)
        expect(heard.get(stream)?.map(({ revision }) => revision)).toEqual(Array.from({ length: 20 }, (_, n) => n));
    });
  });
}
