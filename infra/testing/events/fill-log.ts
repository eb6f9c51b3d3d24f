import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { encode } from '@workledger/shared/events/codec.ts';
import { anyMetadata } from './any-event.ts';
import type { StreamHistory } from './histories.ts';
import type { Random } from './random.ts';

const AT_ONCE = 8;

/** Appends histories, some streams at a time and an event or two an append, so that their events mix as chance has it. */
export async function fillLog(log: EventLog, histories: readonly StreamHistory[], random: Random): Promise<void> {
  const open = histories.map(({ stream, events }) => ({ stream, events: [...events], revision: -1 }));
  const write = async (): Promise<void> => {
    while (open.length > 0) {
      const history = open.splice(random.below(open.length), 1)[0]!;
      const next = history.events.splice(0, 1 + random.below(2));
      const expected = history.revision < 0 ? 'none' : history.revision;
      const { revision } = await log.append(history.stream, encode(history.stream, next, anyMetadata()), expected);
      history.revision = revision;
      if (history.events.length > 0) open.push(history);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, write));
}
