import { partitionKey, type BusBatch, type EventBus, type Offset } from '@workledger/shared/event-bus/port.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import type { Random } from './random.ts';

const REPEATED_AT_MOST = 12;

/**
 * A bus that does all that "at least once, in order per partition" allows: cuts batches anywhere, repeats what came before,
 * hands the same batch out twice.
 */
export function unruly(bus: EventBus, random: Random, offsetAfter: (event: RecordedEvent) => Offset): EventBus {
  return {
    ...bus,
    consume: (options, { resume, handle }) => {
      const delivered = new Map<string, RecordedEvent[]>();

      const handOut = async (batch: BusBatch): Promise<Offset> => {
        const before = delivered.get(partitionKey(batch)) ?? [];
        delivered.set(partitionKey(batch), before);
        const left = [...batch.events];
        for (let from = batch.from; ;) {
          const part = left.splice(0, 1 + random.below(left.length + 1));
          const last = part.at(-1);
          const next = left.length === 0 || last === undefined ? batch.next : offsetAfter(last);
          const repeated = random.chance(0.5) ? before.slice(-random.below(REPEATED_AT_MOST)) : [];
          const handed = { ...batch, from, next, events: [...repeated, ...part] };
          for (let times = random.chance(0.2) ? 2 : 1; times > 0; times--) {
            const offset = await handle(handed);
            if (offset !== next) return offset;
          }
          before.push(...part);
          before.splice(0, before.length - REPEATED_AT_MOST);
          if (next === batch.next) return next;
          from = next;
        }
      };
      return bus.consume(options, { resume, handle: handOut });
    },
  };
}
