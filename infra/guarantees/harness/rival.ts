import { RevisionConflict } from '@workledger/shared/event-log/errors.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { anyEvents } from '../../testing/events/any-event.ts';
import { startProgram } from '../../testing/processes/program.ts';

/** One append of a rival: on which revision (-1: none), under which ids, and whether it was told that it won. */
export type Attempt = {
  readonly stream: string;
  readonly expected: number;
  readonly ids: readonly string[];
  readonly won: boolean;
};

/** Appends to a stream, always on the revision that was last seen, until it has so many events. */
export async function rival(log: EventLog, stream: string, events: number): Promise<Attempt[]> {
  const attempts: Attempt[] = [];
  for (let expected = -1; expected + 1 < events;) {
    const written = anyEvents(1 + (attempts.length % 2));
    const ids = written.map(({ id }) => id);
    try {
      const { revision } = await log.append(stream, written, expected < 0 ? 'none' : expected);
      attempts.push({ stream, expected, ids, won: true });
      expected = revision;
    } catch (error) {
      if (!(error instanceof RevisionConflict)) throw error;
      attempts.push({ stream, expected, ids, won: false });
      expected = error.actual === 'none' ? -1 : error.actual;
    }
  }
  return attempts;
}

/** A child process that competes for streams; it begins with `go`, so that several can begin together. */
export type RivalProcess = { readonly ready: Promise<void>; go(): Promise<readonly Attempt[]> };

export function startRival(engine: string, address: string, streams: readonly string[], events: number): RivalProcess {
  const args = [engine, address, streams.join(','), String(events)];
  const program = startProgram('infra/guarantees/harness/rival.program.ts', args, { reads: true });
  const ready = program.until(/^ready\n/m).then(() => undefined);
  return {
    ready,
    go: async () => {
      await ready;
      program.tell('go');
      const [, attempts = ''] = await program.until(/^(\[.*\])\n/m);
      return JSON.parse(attempts) as Attempt[];
    },
  };
}
