import { backOff, pause } from '../../resilience/pause.ts';
import type { Consumer, Offset, TopicPartition } from '../port.ts';

/** Asks the consumer where to go on until it knows; null when nobody needs the answer any more. */
export async function resumePatiently(
  consumer: Consumer,
  partitions: readonly TopicPartition[],
  isNeeded: () => boolean,
  onError: (error: unknown, attempt: number) => void,
): Promise<ReadonlyMap<string, Offset> | null> {
  for (let attempt = 0; isNeeded(); attempt++) {
    try {
      const offsets = await consumer.resume(partitions);
      return isNeeded() ? offsets : null;
    } catch (error) {
      onError(error, attempt + 1);
      await pause(backOff(attempt, 50, 1_000));
    }
  }
  return null;
}
