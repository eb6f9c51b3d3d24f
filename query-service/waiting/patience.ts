import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import type { WakeUps } from '@workledger/shared/resilience/wake-ups.ts';
import type { createWaitingRoom } from '../reading/consistency.ts';

type Enter = ReturnType<typeof createWaitingRoom>;

/** Milliseconds between two looks: projections wake up at each batch, whatever it is about. */
const BETWEEN_LOOKS = 100;
const LONGEST_PAUSE = 1_000;

/**
 * Reads until what is read is as wanted, or the time is over; then as it stands.
 * @param enter lets one in who waits @throws what `read` throws; Problem `unavailable` when too many wait
 */
export const createPatience =
  (wakeUps: WakeUps | undefined, enter: Enter) =>
  async <Value>(
    read: () => Promise<Value>,
    isWanted: (value: Value) => boolean,
    { seconds, waiter, signal }: { readonly seconds: number; readonly waiter: string; readonly signal: AbortSignal },
  ): Promise<Value> => {
    const deadline = performance.now() + seconds * 1_000;
    const first = await read();
    if (seconds === 0 || isWanted(first)) return first;
    const leave = enter(waiter);
    try {
      for (;;) {
        const seen = wakeUps?.count();
        const value = await read();
        const left = deadline - performance.now();
        if (isWanted(value) || left <= 0 || signal.aborted) return value;
        await pause(Math.min(BETWEEN_LOOKS, left));
        if (wakeUps !== undefined) await wakeUps.next(Math.min(LONGEST_PAUSE, left), signal, seen);
      }
    } finally {
      leave();
    }
  };
