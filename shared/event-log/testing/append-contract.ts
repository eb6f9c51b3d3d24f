import { describe, expect, it } from 'vitest';
import { newId, streamName } from '../../contexts/stream.ts';
import { RevisionConflict } from '../errors.ts';
import type { EventLog } from '../port.ts';
import { anyEvent, anyEvents, collect } from '@workledger/infra/testing/events/any-event.ts';

const newStream = (): string => streamName('task', newId());

export function appendContract(log: () => EventLog): void {
  const ids = async (stream: string): Promise<string[]> =>
    (await collect(log().readStream(stream))).map(({ id }) => id);

  describe('appending', () => {
    it('writes events one after the other and answers the last revision and position', async () => {
      const stream = newStream();
      const events = anyEvents(3);
      const first = await log().append(stream, events.slice(0, 1), 'none');
      const second = await log().append(stream, events.slice(1), 0);
      const recorded = await collect(log().readStream(stream));
      expect(first).toEqual({ revision: 0, position: recorded[0]?.position });
      expect(second).toEqual({ revision: 2, position: recorded[2]?.position });
      expect(recorded.map(({ revision }) => revision)).toEqual([0, 1, 2]);
      expect(recorded.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
      expect(second.position > first.position).toBe(true);
    });

    it('gives back what was written, to the letter', async () => {
      const stream = newStream();
      const data = {
        text: 'quotes " and \\ and \n\t\r and é 漢字 👩‍👩‍👧 and \u2028',
        literal: '\\u0000 \\ud800',
        numbers: [0, -0.5, 1e21, 1.7976931348623157e308, 123456789.123],
        nothing: null,
        nested: { empty: {}, list: [[], [{}]], '': 'no name', 'with "quotes"': true },
      };
      const event = anyEvent(data);
      await log().append(stream, [event], 'none');
      const [recorded] = await collect(log().readStream(stream));
      expect(recorded).toEqual({
        ...event,
        stream,
        revision: 0,
        position: recorded?.position,
        recordedAt: recorded?.recordedAt,
      });
      expect(recorded?.recordedAt).toBeInstanceOf(Date);
      expect(typeof recorded?.position).toBe('bigint');
    });

    it.each([
      ['none', 2],
      [0, 2],
      [1, 2],
      [3, 2],
      [500, 2],
    ] as const)(
      'refuses expected revision %s when the stream is at %s, and writes nothing',
      async (expected, actual) => {
        const stream = newStream();
        const events = anyEvents(3);
        await log().append(stream, events, 'none');
        const conflict = await log()
          .append(stream, anyEvents(2), expected)
          .catch((error: unknown) => error);
        expect(conflict).toBeInstanceOf(RevisionConflict);
        expect(conflict).toMatchObject({ stream, expected, actual });
        expect(await ids(stream)).toEqual(events.map(({ id }) => id));
      },
    );

    it('refuses a revision of a stream that does not exist', async () => {
      const stream = newStream();
      const conflict = await log()
        .append(stream, anyEvents(1), 0)
        .catch((error: unknown) => error);
      expect(conflict).toBeInstanceOf(RevisionConflict);
      expect(conflict).toMatchObject({ stream, expected: 0, actual: 'none' });
      expect(await ids(stream)).toEqual([]);
    });

    it('lets exactly one of twenty create a stream', async () => {
      const stream = newStream();
      const attempts = Array.from({ length: 20 }, () => anyEvents(2));
      const outcomes = await Promise.allSettled(attempts.map((events) => log().append(stream, events, 'none')));
      const winners = attempts.filter((_, index) => outcomes[index]?.status === 'fulfilled');
      expect(winners).toHaveLength(1);
      for (const outcome of outcomes)
        if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(RevisionConflict);
      expect(await ids(stream)).toEqual(winners[0]?.map(({ id }) => id));
    });

    it('lets exactly one of twenty go on from a revision', async () => {
      const stream = newStream();
      await log().append(stream, anyEvents(1), 'none');
      const outcomes = await Promise.allSettled(
        Array.from({ length: 20 }, () => log().append(stream, anyEvents(3), 0)),
      );
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(await ids(stream)).toHaveLength(4);
    });

    it('keeps a refused append from harming those beside it', async () => {
      const streams = Array.from({ length: 30 }, newStream);
      await log().append(streams[7] ?? '', anyEvents(1), 'none');
      const outcomes = await Promise.allSettled(streams.map((stream) => log().append(stream, anyEvents(2), 'none')));
      expect(outcomes.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []))).toEqual([7]);
      for (const [index, stream] of streams.entries()) expect(await ids(stream)).toHaveLength(index === 7 ? 1 : 2);
    });
  });

  describe('appending again', () => {
    it('answers the same and writes nothing', async () => {
      const stream = newStream();
      const [creation, addition] = [anyEvents(2), anyEvents(3)];
      const first = await log().append(stream, creation, 'none');
      expect(await log().append(stream, creation, 'none')).toEqual(first);
      const second = await log().append(stream, addition, 1);
      expect(await log().append(stream, addition, 1)).toEqual(second);
      expect(await ids(stream)).toHaveLength(5);
    });

    it('answers the same after the stream moved on', async () => {
      const stream = newStream();
      const [creation, addition] = [anyEvents(2), anyEvents(2)];
      const first = await log().append(stream, creation, 'none');
      const second = await log().append(stream, addition, 1);
      await log().append(stream, anyEvents(4), 3);
      expect(await log().append(stream, creation, 'none')).toEqual(first);
      expect(await log().append(stream, addition, 1)).toEqual(second);
      expect(await ids(stream)).toHaveLength(8);
    });

    it('answers all of ten at once the same', async () => {
      const stream = newStream();
      const events = anyEvents(2);
      const answers = await Promise.all(Array.from({ length: 10 }, () => log().append(stream, events, 'none')));
      for (const answer of answers) expect(answer).toEqual(answers[0]);
      expect(await ids(stream)).toEqual(events.map(({ id }) => id));
    });

    it('refuses events of which only some are there, or in another order', async () => {
      const stream = newStream();
      const events = anyEvents(2);
      await log().append(stream, events, 'none');
      for (const overlap of [[...events, anyEvent()], [anyEvent(), ...events], [...events].reverse()])
        await expect(log().append(stream, overlap, 'none')).rejects.toBeInstanceOf(RevisionConflict);
      expect(await ids(stream)).toEqual(events.map(({ id }) => id));
    });
  });
}
