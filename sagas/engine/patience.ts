import { backOff, pause } from '@workledger/shared/resilience/pause.ts';
import type { Logger } from '@workledger/shared/telemetry/logger.ts';
import type { Outages } from '@workledger/shared/resilience/outages/outages.ts';

const SHORTEST_MILLISECONDS = 100;
const LONGEST_MILLISECONDS = 5_000;

/** Does something until it works, however long its server is away. @throws the signal's reason when that aborts first */
export type Patiently = <Result>(server: string, action: () => Promise<Result>, signal: AbortSignal) => Promise<Result>;

/** Outages are told once; what is none is told each time. */
export const createPatience =
  (outages: Outages, logger: Pick<Logger, 'error'>): Patiently =>
  async (server, action, signal) => {
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted();
      try {
        return await outages.watch(server, action);
      } catch (error) {
        signal.throwIfAborted();
        if (!outages.isTold(error)) logger.error({ err: error, dependency: server }, 'failed: trying again');
        await pause(backOff(attempt, SHORTEST_MILLISECONDS, LONGEST_MILLISECONDS), signal);
      }
    }
  };
