import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Fast shutdown (SIGINT): open transactions are rolled back, everything committed is on disk. A server that is not gone after
 * 60 s is made to stop at once (SIGQUIT), which costs a recovery at the next start.
 * @throws Error when it is still there after 10 s more, or the signal is not allowed
 */
export async function stopProcess(pid: number, isRunning: () => boolean): Promise<void> {
  for (const [signal, seconds] of [
    ['SIGINT', 60],
    ['SIGQUIT', 10],
  ] as const) {
    send(pid, signal);
    const deadline = performance.now() + seconds * 1_000;
    while (performance.now() < deadline) {
      if (!isRunning()) return;
      await sleep(10);
    }
  }
  throw new Error(`PostgreSQL (process ${pid}) does not stop: look at what holds it, or kill it`);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ESRCH') return;
    throw new Error(
      `PostgreSQL (process ${pid}) cannot be stopped (${code}): it was started by another user; start Workledger as that one`,
    );
  }
}
