import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Ends a broker in order (SIGTERM: 1 to 3 s); one that is not gone after 20 s is killed, which costs a recovery at the next start.
 * @throws Error when it is still there after 10 s more, or the signal is not allowed
 */
export async function stopProcess(pid: number, isRunning: () => boolean): Promise<void> {
  for (const [signal, seconds] of [
    ['SIGTERM', 20],
    ['SIGKILL', 10],
  ] as const) {
    send(pid, signal);
    const deadline = performance.now() + seconds * 1_000;
    while (performance.now() < deadline) {
      if (!isRunning()) return;
      await sleep(20);
    }
  }
  throw new Error(`Kafka (process ${pid}) does not stop: look at what holds it, or kill it`);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ESRCH') return;
    throw new Error(`Kafka (process ${pid}) cannot be stopped (${code}): it was started by another user`);
  }
}
