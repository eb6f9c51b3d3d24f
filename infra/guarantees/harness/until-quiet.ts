import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { until } from './until.ts';

const LOOKS = 20;

/** Waits until nothing was appended for a while: what earlier commands led to has been done. @returns the log's head */
export async function untilQuiet(log: EventLog): Promise<bigint> {
  let head = -1n;
  let same = 0;
  return until('the log to be quiet', async () => {
    const now = await log.head();
    same = now === head ? same + 1 : 0;
    head = now;
    return same >= LOOKS && head;
  });
}
