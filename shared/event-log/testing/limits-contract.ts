import { describe, expect, it } from 'vitest';
import type { NewEvent } from '../../events/recorded-event.ts';
import { newId, streamName } from '../../contexts/stream.ts';
import { AppendTooLarge, InvalidAppend } from '../errors.ts';
import { MAX_APPEND_BYTES, MAX_APPEND_EVENTS, MAX_EVENT_BYTES, MAX_TYPE_LENGTH } from '../check-append.ts';
import type { EventLog, ExpectedRevision } from '../port.ts';
import { anyEvent, anyEvents, collect } from '@workledger/infra/testing/events/any-event.ts';

/** An event of exactly so many bytes of data and metadata, most of them in characters of two bytes. */
function eventOf(bytes: number): NewEvent {
  const event = anyEvent('');
  const free = bytes - Buffer.byteLength(JSON.stringify(event.data) + JSON.stringify(event.metadata));
  return { ...event, data: 'é'.repeat(Math.floor(free / 2)) + 'x'.repeat(free % 2) };
}

const circular: Record<string, unknown> = {};
circular['self'] = circular;

export function limitsContract(log: () => EventLog): void {
  const refusalOf = async (
    events: readonly NewEvent[],
    message: RegExp,
    expected: ExpectedRevision = 'none',
  ): Promise<unknown> => {
    const stream = streamName('task', newId());
    const error = await log()
      .append(stream, events, expected)
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(InvalidAppend);
    expect(error).toHaveProperty('message', expect.stringMatching(message));
    expect(await collect(log().readStream(stream))).toEqual([]);
    return error;
  };

  const refuse = async (...refused: Parameters<typeof refusalOf>): Promise<void> => void (await refusalOf(...refused));

  describe('limits', () => {
    it('takes the largest event and the largest append', async () => {
      const stream = streamName('task', newId());
      await log().append(stream, [eventOf(MAX_EVENT_BYTES), eventOf(MAX_APPEND_BYTES - MAX_EVENT_BYTES)], 'none');
      const sizes = (await collect(log().readStream(stream))).map(({ data, metadata }) =>
        Buffer.byteLength(JSON.stringify(data) + JSON.stringify(metadata)),
      );
      expect(sizes).toEqual([MAX_EVENT_BYTES, MAX_APPEND_BYTES - MAX_EVENT_BYTES]);
    });

    it('takes the most events', async () => {
      const stream = streamName('task', newId());
      const { revision } = await log().append(stream, anyEvents(MAX_APPEND_EVENTS), 'none');
      expect(revision).toBe(MAX_APPEND_EVENTS - 1);
    });

    it('refuses an event, an append and a number of events that are larger', async () => {
      const events = [eventOf(MAX_EVENT_BYTES), eventOf(MAX_EVENT_BYTES), eventOf(1000)];
      const errors = [
        await refusalOf(
          [eventOf(MAX_EVENT_BYTES + 1)],
          /262145 bytes: at most 262144; put bodies into the artefact store/,
        ),
        await refusalOf(events, /525288 bytes: at most 524288/),
        await refusalOf(anyEvents(MAX_APPEND_EVENTS + 1), /1001 events: give at most 1000/),
      ];
      for (const error of errors) expect(error).toBeInstanceOf(AppendTooLarge);
    });

    it('refuses an append without events', () => refuse([], /no events: give at least one/));

    it.each([
      [{ title: 'a\0b' }, /data\.title holds U\+0000/],
      [{ files: ['a', { name: '\0' }] }, /data\.files\[1\]\.name holds U\+0000/],
      [{ 'a\0b': 1 }, /data\."a\\u0000b" holds U\+0000/],
      [{ half: 'x\ud83d' }, /data\.half holds U\+0000 or half a surrogate pair/],
      [{ half: '\udc00x' }, /data\.half holds/],
    ])('refuses text that not every engine can store: %j', (data, message) => refuse([anyEvent(data)], message));

    it('refuses such text in the metadata, too', async () => {
      const event = anyEvent();
      await refuse([{ ...event, metadata: { ...event.metadata, actor: '\0' } }], /metadata\.actor holds U\+0000/);
    });

    it.each([[undefined], [() => 1], [10n], [circular]])('refuses data that is not JSON (%#)', (data) =>
      refuse([{ ...anyEvent(), data }], /data is not JSON/),
    );

    it.each(['', ' ', '1st', 'a b', 'a\0', 'a"b', 'a\nb', `A${'x'.repeat(MAX_TYPE_LENGTH)}`])(
      'refuses the event type %j',
      (type) => refuse([anyEvent({}, type)], /use letters, digits/),
    );

    it.each([0, -1, 1.5, Number.NaN, 40_000])('refuses the event version %s', (version) =>
      refuse([{ ...anyEvent(), version }], /version .*: use a whole number/),
    );

    it('refuses ids that are no UUIDs, and the same id twice', async () => {
      await refuse([{ ...anyEvent(), id: 'not-a-uuid' }], /id "not-a-uuid": use a UUID/);
      const event = anyEvent();
      await refuse([event, { ...anyEvent(), id: event.id.toUpperCase() }], /two events have the same id/);
    });

    it.each([-1, 0.5, Number.NaN, 2 ** 31, Number.MAX_SAFE_INTEGER])('refuses the expected revision %s', (expected) =>
      refuse(anyEvents(1), /expected revision .*: use "none" or a whole number from 0/, expected),
    );

    it.each(['', 'task', 'task-1', `Task-${newId()}`, `task_${newId()}`, `ta\0sk-${newId()}`, `$system-${newId()}`])(
      'refuses the stream name %j, in which nothing can be read',
      async (stream) => {
        await expect(log().append(stream, anyEvents(1), 'none')).rejects.toBeInstanceOf(InvalidAppend);
        expect(await collect(log().readStream(stream))).toEqual([]);
      },
    );
  });
}
