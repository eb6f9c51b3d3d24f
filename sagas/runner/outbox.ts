import { pause } from '@workledger/shared/resilience/pause.ts';
import { because } from '../engine/component.ts';
import { BadFrames, encodeFrame, type AnyFrame, type LastFrame } from './frames.ts';

/** Silence is noticed on the other side: milliseconds between two frames at most. */
const ALIVE_MILLISECONDS = 5_000;

export type Outbox = {
  /** Resolves when the other side has taken it. @throws when it is gone @throws BadFrames when it is too long */
  send(header: AnyFrame, bytes: Uint8Array): Promise<void>;
  /** The last frame; never throws: who is gone needs none. */
  end(last: LastFrame): Promise<void>;
  /** What is sent, no faster than it is taken, with frames that say that there will be more. */
  chunks(): AsyncGenerator<Uint8Array>;
};

type Waiting = { readonly chunks: Iterable<Uint8Array>; readonly isLast: boolean; taken(): void };

/** Frames on their way to whoever asked. @param gone aborts when nobody takes them any more */
export function createOutbox(gone: AbortSignal, aliveMilliseconds = ALIVE_MILLISECONDS): Outbox {
  const waiting: Waiting[] = [];
  let wake = new AbortController();

  const add = (chunks: Iterable<Uint8Array>, isLast: boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      if (gone.aborted) return reject(new Error('nobody takes it any more'));
      const lost = (): void => reject(new Error('nobody takes it any more'));
      gone.addEventListener('abort', lost, { once: true });
      const taken = (): void => {
        gone.removeEventListener('abort', lost);
        resolve();
      };
      waiting.push({ chunks, isLast, taken });
      wake.abort();
    });

  return {
    // What cannot be sent is told to whoever sends it, and does not end the others.
    send: async (header, bytes) => add([...encodeFrame(header, bytes)], false),
    end: (last) => add(sendable(last), true).catch(() => undefined),
    async *chunks() {
      yield* encodeFrame({ frame: 'alive' });
      while (!gone.aborted) {
        const next = waiting.shift();
        if (next === undefined) {
          wake = new AbortController();
          await pause(aliveMilliseconds, AbortSignal.any([gone, wake.signal]));
          if (!gone.aborted && waiting.length === 0) yield* encodeFrame({ frame: 'alive' });
          continue;
        }
        yield* next.chunks;
        next.taken();
        if (next.isLast) return;
      }
    },
  };
}

/** A result that is too long to be sent is a failure that no repeat can mend. */
function sendable(last: LastFrame): Uint8Array[] {
  try {
    return [...encodeFrame(last)];
  } catch (error) {
    if (!(error instanceof BadFrames)) throw error;
    const frame = {
      frame: 'failure',
      retryable: false,
      fault: 'component',
      until: null,
      costUsd: null,
      prompt: null,
    } as const;
    return [...encodeFrame({ ...frame, failure: because('runner', error.message) } satisfies LastFrame)];
  }
}
