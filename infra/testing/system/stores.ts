import { setTimeout as pause } from 'node:timers/promises';
import { killAndWait, signal } from '../processes/processes.ts';

/** What befalls a store: SIGKILL, an orderly stop, SIGSTOP for a while. */
export const STRIKES = ['kill', 'stop', 'freeze'] as const;
export type Strike = (typeof STRIKES)[number];

/** A store that a system leans on, as far as a test can reach it from outside. */
export type Store = {
  /** As /health of the system names it. */
  readonly name: 'event-log' | 'postgresql' | 'kafka';
  /** It is gone, or stands still, when this resolves. */
  begin(strike: Strike): Promise<void>;
  /** Lets a frozen one go on; one that is gone comes back, now or by itself. */
  end(strike: Strike): Promise<void>;
};

/**
 * A store that consists of processes.
 * @param comeBack what brings it back when it is gone; default: it comes by itself
 */
export const storeOfProcesses = (
  name: Store['name'],
  processes: () => Promise<readonly number[]> | readonly number[],
  orderly: NodeJS.Signals,
  comeBack: () => Promise<void> = () => Promise.resolve(),
): Store => {
  let frozen: readonly number[] = [];
  return {
    name,
    begin: async (strike) => {
      const pids = await processes();
      if (strike === 'kill') await killAndWait(pids);
      else if (strike === 'freeze') {
        frozen = pids;
        for (const pid of pids) signal(pid, 'SIGSTOP');
      } else if (pids[0] !== undefined) {
        signal(pids[0], orderly);
        await pause(500);
      }
    },
    end: async (strike) => {
      for (const pid of frozen) signal(pid, 'SIGCONT');
      frozen = [];
      if (strike !== 'freeze') await comeBack();
    },
  };
};
