import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Ends a gateway in order (SIGTERM: what is in flight has 5 s); one that is still there after 8 s is killed.
 * @throws Error when it is still there after 5 s more, or the signal is not allowed
 */
export async function stopProcess(pid: number, isRunning: () => boolean): Promise<void> {
  for (const [signal, seconds] of [
    ['SIGTERM', 8],
    ['SIGKILL', 5],
  ] as const) {
    if (!isRunning()) return;
    send(pid, signal);
    const deadline = performance.now() + seconds * 1_000;
    while (performance.now() < deadline) {
      if (!isRunning()) return;
      await sleep(20);
    }
  }
  throw new Error(`the gateway (process ${pid}) does not stop: look at what holds it, or kill it`);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ESRCH') return;
    throw new Error(`the gateway (process ${pid}) cannot be stopped (${code}): it was started by another user`);
  }
}
