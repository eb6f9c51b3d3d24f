import { keepTrying } from '@workledger/shared/resilience/keep-trying.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';
import type { Closers } from '@workledger/shared/service/closers.ts';
import { oneLine } from '@workledger/shared/telemetry/one-line.ts';

export type Server = {
  /** Resolves with how it ended. */
  readonly died: Promise<string>;
  /** Frees what it held; on one that has ended, too. */
  stop(): Promise<void>;
};

/** Milliseconds. */
const FIRST_PAUSE = 200;

/**
 * Starts a server, and again whenever it ends by itself: the services wait for it meanwhile.
 * @param start the first time without what came before; then with it, so that it comes back at its old address
 * @returns the first one @throws what the first start throws
 */
export async function superviseServer<Started extends Server>(
  name: string,
  start: (before: Started | null) => Promise<Started>,
  closers: Closers,
  say: (line: string) => void,
): Promise<Started> {
  const stopping = new AbortController();
  const first = await start(null);
  let current = first;

  async function startAgain(): Promise<void> {
    await pause(FIRST_PAUSE, stopping.signal);
    const again = await keepTrying(() => start(first), {
      signal: stopping.signal,
      shortest: 2 * FIRST_PAUSE,
      longest: 10_000,
      onFailed: (error) => say(`${name} does not start: ${oneLine(error)}`),
    });
    current = again ?? current;
  }

  async function watch(): Promise<void> {
    for (;;) {
      const how = await Promise.race([current.died, untilAborted(stopping.signal)]);
      if (stopping.signal.aborted) return;
      say(`${name} has ended (${how}), is started again`);
      await current.stop().catch((error: unknown) => say(`${name}: ${oneLine(error)}`));
      await startAgain();
    }
  }

  const watching = watch();
  closers.add(async () => {
    stopping.abort();
    await watching;
    await current.stop();
  });
  return first;
}

const untilAborted = (signal: AbortSignal): Promise<string> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve('stopped'), { once: true }));
