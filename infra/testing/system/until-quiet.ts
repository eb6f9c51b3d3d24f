import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { until } from '../processes/until.ts';

/**
 * Waits until nothing was appended for a while: what earlier commands led to has been done.
 * @param calmMilliseconds as the engine tells it
 * @returns the log's head
 */
export async function untilQuiet(log: EventLog, calmMilliseconds: number): Promise<bigint> {
  let head = -1n;
  let since = 0;
  return until('the log to be quiet', async () => {
    const now = await log.head();
    if (now !== head) since = performance.now();
    head = now;
    return performance.now() - since >= calmMilliseconds && head;
  });
}
