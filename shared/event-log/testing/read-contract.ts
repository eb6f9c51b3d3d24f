import { beforeAll, describe, expect, it } from 'vitest';
import type { RecordedEvent } from '../../events/recorded-event.ts';
import { newId, streamName } from '../../contexts/stream.ts';
import type { EventLog, ReadStreamOptions } from '../port.ts';
import { anyEvents, collect } from '@workledger/infra/testing/events/any-event.ts';

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);
const revisions = (events: readonly RecordedEvent[]): number[] => events.map(({ revision }) => revision);

export function readContract(log: () => EventLog): void {
  describe('reading a stream', () => {
    const stream = streamName('task', newId());
    const read = async (options: ReadStreamOptions): Promise<number[]> =>
      revisions(await collect(log().readStream(stream, options)));
    beforeAll(async () => {
      await log().append(stream, anyEvents(700), 'none');
      await log().append(stream, anyEvents(600), 699);
    });

    it('gives nothing for a stream that does not exist', async () => {
      const none = streamName('task', newId());
      expect(await collect(log().readStream(none))).toEqual([]);
      expect(await collect(log().readStream(none, { direction: 'backward' }))).toEqual([]);
    });

    it('gives the whole stream in order, both ways', async () => {
      expect(await read({})).toEqual(range(0, 1299));
      expect(await read({ direction: 'backward' })).toEqual(range(0, 1299).reverse());
    });

    it('starts at a revision, that one included, both ways', async () => {
      expect(await read({ from: 1295 })).toEqual(range(1295, 1299));
      expect(await read({ from: 3, direction: 'backward' })).toEqual([3, 2, 1, 0]);
      expect(await read({ from: 0, direction: 'backward' })).toEqual([0]);
    });

    it('gives nothing from beyond the end, and everything backward from there', async () => {
      expect(await read({ from: 1300 })).toEqual([]);
      expect(await read({ from: 5000, direction: 'backward', limit: 2 })).toEqual([1299, 1298]);
    });

    it('gives at most the limit', async () => {
      expect(await read({ limit: 0 })).toEqual([]);
      expect(await read({ limit: 1 })).toEqual([0]);
      expect(await read({ limit: 800 })).toEqual(range(0, 799));
      expect(await read({ limit: 3, from: 698 })).toEqual([698, 699, 700]);
      expect(await read({ limit: 3, direction: 'backward' })).toEqual([1299, 1298, 1297]);
      expect(await read({ limit: 800, from: 1000, direction: 'backward' })).toEqual(range(201, 1000).reverse());
    });

    it('stops where the reader does', async () => {
      const seen: number[] = [];
      for await (const { revision } of log().readStream(stream)) {
        seen.push(revision);
        if (seen.length === 5) break;
      }
      expect(seen).toEqual([0, 1, 2, 3, 4]);
    });
  });

  describe('reading the log', () => {
    const task = streamName('task', newId());
    const agent = streamName('agent', newId());
    // Known types of both streams, of which nobody makes anything: others may read the same log.
    const opened = { task: 'TaskDetailsChanged', agent: 'AgentErrorReported' };
    const changed = { task: 'TaskSentBack', agent: 'AgentErrorCleared' };
    const closed = 'TaskProgressReported';
    const isOpened = (type: string): boolean => type === opened.task || type === opened.agent;
    const isChanged = (type: string): boolean => type === changed.task || type === changed.agent;
    const mine = ({ stream }: RecordedEvent): boolean => stream === task || stream === agent;
    let before: bigint;
    let written: RecordedEvent[];
    beforeAll(async () => {
      before = await log().head();
      await log().append(task, anyEvents(2, opened.task), 'none');
      await log().append(agent, anyEvents(2, opened.agent), 'none');
      await log().append(task, anyEvents(300, changed.task), 1);
      await log().append(agent, anyEvents(3, changed.agent), 1);
      await log().append(task, anyEvents(1, closed), 301);
      const both = [...(await collect(log().readStream(task))), ...(await collect(log().readStream(agent)))];
      written = both.sort((a, b) => Number(a.position - b.position));
    });

    it('gives all events in the order of their positions, as their streams give them', async () => {
      const events = (await collect(log().readAll({ after: before }))).filter(mine);
      expect(events).toEqual(written);
    });

    it('reads from the start when told nothing', async () => {
      let last = -1n;
      let found = 0;
      for await (const event of log().readAll()) {
        expect(event.position > last).toBe(true);
        last = event.position;
        if (mine(event)) found += 1;
      }
      expect(found).toBe(written.length);
    });

    it('starts after a position and ends with one', async () => {
      const [first, last] = [written[2], written[250]];
      const events = await collect(log().readAll({ after: first?.position ?? 0n, until: last?.position ?? 0n }));
      expect(events.filter(mine)).toEqual(written.slice(3, 251));
      expect(await collect(log().readAll({ after: last?.position ?? 0n, until: last?.position ?? 0n }))).toEqual([]);
      expect(await collect(log().readAll({ after: last?.position ?? 0n, until: first?.position ?? 0n }))).toEqual([]);
    });

    it('gives only the types asked for', async () => {
      const events = await collect(log().readAll({ after: before, types: [...Object.values(opened), closed] }));
      expect(events.filter(mine)).toEqual(written.filter(({ type }) => !isChanged(type)));
      expect(events.every(({ type }) => isOpened(type) || type === closed)).toBe(true);
      expect(await collect(log().readAll({ after: before, types: ['NeverHappened'] }))).toEqual([]);
    });

    it('gives only the streams of the types asked for', async () => {
      const events = await collect(log().readAll({ after: before, streams: ['agent'] }));
      expect(events.filter(mine)).toEqual(written.filter(({ stream }) => stream === agent));
      expect(events.every(({ stream }) => stream.startsWith('agent-'))).toBe(true);
    });

    it('combines filters and range', async () => {
      const until = written.at(-2)?.position ?? 0n;
      const events = await collect(
        log().readAll({ after: before, until, types: [...Object.values(changed), closed], streams: ['agent', 'task'] }),
      );
      expect(events.filter(mine)).toEqual(written.filter(({ type, position }) => !isOpened(type) && position <= until));
    });

    it('ends at the head of the moment of the call', async () => {
      const late = streamName('task', newId());
      let revision: number | 'none' = 'none';
      for await (const event of log().readAll({ after: before })) {
        expect(event.stream).not.toBe(late);
        if (revision === 'none' || revision < 20) ({ revision } = await log().append(late, anyEvents(1), revision));
      }
      expect(revision).toBe(20);
    });

    it('knows the position of the last event', async () => {
      const { position } = await log().append(streamName('task', newId()), anyEvents(2), 'none');
      expect((await log().head()) >= position).toBe(true);
    });
  });
}
