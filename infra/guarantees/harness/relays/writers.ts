import { setTimeout as pause } from 'node:timers/promises';
import { createdTask, retitled } from '../../../testing/events/task-events.ts';
import { RevisionConflict } from '@workledger/shared/event-log/errors.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { encode } from '@workledger/shared/events/codec.ts';
import type { DomainEvent } from '@workledger/shared/contexts/define-events.ts';
import type { NewEvent } from '@workledger/shared/events/recorded-event.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { anyMetadata } from '../../../testing/events/any-event.ts';

const EVENTS_A_STREAM = 30;
const PAUSE_MILLISECONDS = 25;

export type Writers = {
  /** Events that the log has taken so far. */
  written(): number;
  /** Lets every append come to its answer, then ends. @throws what the log refused */
  stop(): Promise<void>;
};

/** Writers that fill stream after stream, an event or two at a time. */
export function startWriters(log: EventLog, count: number): Writers {
  const stopping = new AbortController();
  let written = 0;
  const write = async (writer: number): Promise<void> => {
    for (let stream = newStream(writer), revision = -1; !stopping.signal.aborted;) {
      const events = nextEvents(stream, revision, 1 + (revision % 2 === 0 ? 1 : 0));
      revision = await appendCertainly(log, stream, events, revision);
      written += events.length;
      if (revision + 1 >= EVENTS_A_STREAM) [stream, revision] = [newStream(writer), -1];
      await pause(PAUSE_MILLISECONDS);
    }
  };
  const running = Promise.all(Array.from({ length: count }, (_, writer) => write(writer)));
  running.catch(() => stopping.abort());
  return {
    written: () => written,
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

/** Fills so many streams at once, so that a relay is busy for a while. */
export const writeMany = async (log: EventLog, streams: number): Promise<void> => {
  const names = Array.from({ length: streams }, (_, number) => newStream(number));
  await Promise.all(names.map((name) => appendCertainly(log, name, nextEvents(name, -1, EVENTS_A_STREAM), -1)));
};

const newStream = (number: number): string => streamName(number % 2 === 0 ? 'task' : 'agent', newId());

function nextEvents(stream: string, revision: number, count: number): NewEvent[] {
  const event = (number: number): DomainEvent => {
    if (!stream.startsWith('task-')) return { type: 'AgentErrorReported', data: { message: `error ${number}` } };
    return number === 0 ? createdTask({ title: 'first' }) : retitled(`title ${number}`);
  };
  const events = Array.from({ length: count }, (_, index) => event(revision + 1 + index));
  return encode(stream, events, anyMetadata());
}

/** Whatever fails but a refusal leaves open whether the events are there: the same ids again. */
async function appendCertainly(
  log: EventLog,
  stream: string,
  events: readonly NewEvent[],
  revision: number,
): Promise<number> {
  for (;;) {
    try {
      return (await log.append(stream, events, revision < 0 ? 'none' : revision)).revision;
    } catch (error) {
      if (error instanceof RevisionConflict) throw error;
      await pause(100);
    }
  }
}
