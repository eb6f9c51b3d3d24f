import { pause } from '../../resilience/pause.ts';
import type { KafkaBus } from './kafka-bus.ts';

/** Milliseconds between two looks. */
const INTERVAL = 5_000;

/** By group: events that wait in the partitions that this process holds; null before it could be asked, and while Kafka is away. */
export type GroupLags = Readonly<Record<string, number | null>>;

/** Looks now and then, in the background, until the signal aborts. @returns what was seen last */
export function watchLag(bus: Pick<KafkaBus, 'groups' | 'lag'>, signal: AbortSignal): () => GroupLags {
  let seen: GroupLags = {};
  const look = async (): Promise<void> => {
    const lags = bus.groups().map(async (group) => {
      const waiting = await bus.lag(group).then(
        (partitions) => Number([...partitions.values()].reduce((sum, lag) => sum + lag, 0n)),
        () => null,
      );
      return [group, waiting] as const;
    });
    seen = Object.fromEntries(await Promise.all(lags));
  };
  const keepLooking = async (): Promise<void> => {
    for (; !signal.aborted; await pause(INTERVAL, signal)) await look();
  };
  void keepLooking();
  return () => seen;
}
