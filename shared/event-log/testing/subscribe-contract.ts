import { untilTrue } from '@workledger/infra/testing/processes/until.ts';
import { describe, expect, it } from 'vitest';
import type { RecordedEvent } from '../../events/recorded-event.ts';
import { newId, streamName } from '../../contexts/stream.ts';
import type { Batch, EventLog, SubscribeOptions } from '../port.ts';
import { anyEvent, anyEvents } from '@workledger/infra/testing/events/any-event.ts';

const range = (to: number): number[] => Array.from({ length: to }, (_, index) => index);

type Follower = {
  readonly batches: Batch[];
  revisions(stream: string): number[];
  stop(): Promise<void>;
};

export function subscribeContract(log: () => EventLog): void {
  function follow(options: Omit<SubscribeOptions, 'signal'>, handle?: (batch: Batch) => Promise<void>): Follower {
    const stopping = new AbortController();
    const batches: Batch[] = [];
    const run = async (): Promise<void> => {
      for await (const batch of log().subscribe({ ...options, signal: stopping.signal })) {
        await handle?.(batch);
        batches.push(batch);
      }
    };
    const running = run();
    return {
      batches,
      revisions: (stream) =>
        batches.flatMap(({ events }) =>
          events.filter((event) => event.stream === stream).map(({ revision }) => revision),
        ),
      stop: () => {
        stopping.abort();
        return running;
      },
    };
  }
  const hasCaughtUp = ({ batches }: Follower): boolean => batches.some(({ caughtUp }) => caughtUp);

  describe('subscribing', () => {
    it('gives what is there, then what comes', async () => {
      const stream = streamName('task', newId());
      const after = await log().head();
      await log().append(stream, anyEvents(1000), 'none');
      await log().append(stream, anyEvents(500), 999);
      const follower = follow({ after });
      await untilTrue(() => hasCaughtUp(follower));
      expect(follower.revisions(stream)).toEqual(range(1500));
      await log().append(stream, anyEvents(5), 1499);
      await untilTrue(() => follower.revisions(stream).length >= 1505);
      await log().append(stream, anyEvents(5), 1504);
      await untilTrue(() => follower.revisions(stream).length >= 1510);
      await follower.stop();
      expect(follower.revisions(stream)).toEqual(range(1510));
    });

    it('gives the same events as reading, in the order of their positions', async () => {
      const stream = streamName('task', newId());
      const after = await log().head();
      await log().append(stream, anyEvents(20), 'none');
      const follower = follow({ after });
      await untilTrue(() => follower.revisions(stream).length === 20);
      await follower.stop();
      const events = follower.batches.flatMap((batch) => batch.events);
      const last = events.at(-1)?.position ?? 0n;
      const read: RecordedEvent[] = [];
      for await (const event of log().readAll({ after, until: last })) read.push(event);
      expect(events).toEqual(read);
    });

    it('says once that it has caught up, also when nothing comes', async () => {
      const stream = streamName('task', newId());
      const follower = follow({ after: await log().head(), streams: ['no-such-type'] });
      await untilTrue(() => hasCaughtUp(follower));
      expect(follower.batches.flatMap(({ events }) => events)).toEqual([]);
      await follower.stop();

      const second = follow({ after: await log().head() });
      await untilTrue(() => hasCaughtUp(second));
      for (let revision = 0; revision < 3; revision++) {
        await log().append(stream, anyEvents(1), revision === 0 ? 'none' : revision - 1);
        await untilTrue(() => second.revisions(stream).length === revision + 1);
      }
      await second.stop();
      expect(second.batches.filter(({ caughtUp }) => caughtUp)).toHaveLength(1);
    });

    it('goes on from where a batch ended', async () => {
      const stream = streamName('task', newId());
      const after = await log().head();
      await log().append(stream, anyEvents(300), 'none');
      const first = follow({ after });
      await untilTrue(() => first.revisions(stream).length > 0);
      await first.stop();
      const next = first.batches.at(-1)?.next ?? 0n;
      await log().append(stream, anyEvents(3), 299);
      const second = follow({ after: next });
      await untilTrue(() => second.revisions(stream).includes(302));
      await second.stop();
      expect([...first.revisions(stream), ...second.revisions(stream)]).toEqual(range(303));
    });

    it('gives only what passes the filter, and still moves on over the rest', async () => {
      const [task, agent] = [streamName('task', newId()), streamName('agent', newId())];
      const after = await log().head();
      const follower = follow({ after, streams: ['agent'], types: ['AgentErrorReported'] });
      await log().append(task, [anyEvent()], 'none');
      await log().append(agent, [anyEvent({}, 'AgentErrorCleared'), anyEvent({}, 'AgentErrorReported')], 'none');
      const { position } = await log().append(task, anyEvents(500), 0);
      await log().append(agent, [anyEvent({}, 'AgentErrorReported')], 1);
      await untilTrue(() => follower.revisions(agent).length === 2);
      await follower.stop();
      expect(follower.revisions(agent)).toEqual([1, 2]);
      expect(follower.revisions(task)).toEqual([]);
      expect((follower.batches.at(-1)?.next ?? 0n) > position).toBe(true);
    });

    it('ends without an error when it is cancelled, while it waits and while it catches up', async () => {
      const waiting = follow({ after: await log().head() });
      await untilTrue(() => hasCaughtUp(waiting));
      await waiting.stop();

      // What comes first on a server that others use may be events of theirs, of which the batch shows none.
      const stopping = new AbortController();
      let batches = 0;
      for await (const batch of log().subscribe({ signal: stopping.signal })) {
        batches += batch.events.length >= 0 ? 1 : 0;
        stopping.abort();
      }
      expect(batches).toBe(1);

      for await (const batch of log().subscribe({ signal: stopping.signal })) expect(batch).toBeUndefined();
    });

    it('ends when the consumer leaves its loop', async () => {
      const stopping = new AbortController();
      let batches = 0;
      for await (const batch of log().subscribe({ signal: stopping.signal })) {
        batches += batch.events.length >= 0 ? 1 : 0;
        break;
      }
      expect(batches).toBe(1);
    });

    it('misses nothing when the consumer is slow', async () => {
      const streams = Array.from({ length: 10 }, () => streamName('task', newId()));
      const follower = follow({ after: await log().head() }, () => new Promise((resolve) => setTimeout(resolve, 20)));
      await Promise.all(
        streams.map(async (stream) => {
          for (let times = 0; times < 20; times++)
            await log().append(stream, anyEvents(20), times === 0 ? 'none' : times * 20 - 1);
        }),
      );
      await untilTrue(() => streams.every((stream) => follower.revisions(stream).length >= 400));
      await follower.stop();
      for (const stream of streams) expect(follower.revisions(stream)).toEqual(range(400));
    });

    it('serves many at once, each from its own place', async () => {
      const stream = streamName('task', newId());
      const after = await log().head();
      const { position } = await log().append(stream, anyEvents(5), 'none');
      const followers = [follow({ after }), follow({ after }), follow({ after: position })];
      await log().append(stream, anyEvents(5), 4);
      await untilTrue(() => followers.every((follower) => follower.revisions(stream).at(-1) === 9));
      for (const follower of followers) await follower.stop();
      expect(followers.map((follower) => follower.revisions(stream).length)).toEqual([10, 10, 5]);
    });
  });
}
