import { setTimeout as sleep } from 'node:timers/promises';
import { statFields } from '@workledger/sagas/components/process/processes.ts';

const LOOK_MILLISECONDS = 10;

/** How a server is stopped: each signal, and the seconds that are waited for its effect. */
export type Farewell = { readonly name: string; readonly signals: readonly (readonly [NodeJS.Signals, number])[] };

/** Fast shutdown: open transactions are rolled back, all that is committed is on disk. SIGQUIT costs a recovery at the next start. */
export const POSTGRES: Farewell = {
  name: 'PostgreSQL',
  signals: [
    ['SIGINT', 60],
    ['SIGQUIT', 10],
  ],
};

/** In order it takes 1 to 3 s; a kill costs a recovery at the next start. */
export const KAFKA: Farewell = {
  name: 'Kafka',
  signals: [
    ['SIGTERM', 20],
    ['SIGKILL', 10],
  ],
};

/** What is in flight has 5 s. */
export const GATEWAY: Farewell = {
  name: 'the gateway',
  signals: [
    ['SIGTERM', 8],
    ['SIGKILL', 5],
  ],
};

/** Stops a server's process. @throws Error in one line when it is still there after all signals, or a signal is not allowed */
export async function stopProcess({ name, signals }: Farewell, pid: number, isRunning: () => boolean): Promise<void> {
  for (const [signal, seconds] of signals) {
    if (!isRunning()) return;
    send(name, pid, signal);
    const deadline = performance.now() + seconds * 1_000;
    while (performance.now() < deadline) {
      if (!isRunning()) return;
      await sleep(LOOK_MILLISECONDS);
    }
  }
  throw new Error(`${name} (process ${pid}) does not stop: look at what holds it, or kill it`);
}

function send(name: string, pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ESRCH') return;
    throw new Error(
      `${name} (process ${pid}) cannot be stopped (${code}): it was started by another user; start Workledger as that one`,
    );
  }
}

/** A killed process that nobody has reaped still has a pid and takes signals; it does nothing any more. */
export const isZombie = (pid: number): boolean => ['Z', 'X'].includes(statFields(pid)?.state ?? '');
