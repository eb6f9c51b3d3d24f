import { LogBehind } from '../event-log/errors.ts';
import type { Offset } from './port.ts';

/**
 * The log's head, for whoever catches up from the log to it and then goes on behind the bus's ends: what the bus has is in the
 * log, so that one without events under a bus with some is not to be believed.
 * @param reached a position that the log has for certain; default: nothing is known
 * @throws LogBehind
 */
export function checkedHead(head: bigint, ends: ReadonlyMap<string, Offset>, reached = 0n): bigint {
  // The end of an empty log, where the log's tail is the bus, is 1.
  const hasEvents = [...ends.values()].some((offset) => offset > 1n);
  const least = reached > 0n ? reached : hasEvents ? 1n : 0n;
  if (head < least) throw new LogBehind('the log', least, head);
  return head;
}
