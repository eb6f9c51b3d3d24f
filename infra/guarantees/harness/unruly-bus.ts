import { partitionKey, type BusBatch, type EventBus, type Offset } from '@workledger/shared/event-bus/port.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import type { PortEngine } from '../../testing/system/ports/port-engine.ts';
import type { Random } from '../../testing/events/random.ts';

const REPEATED_AT_MOST = 12;

/**
 * A bus that does all that "at least once, in order per partition" allows: cuts batches wherever the offset there is known,
 * repeats what came before, hands the same batch out twice.
 */
export function unruly(bus: EventBus, random: Random, offsetAfter: PortEngine['offsetAfter']): EventBus {
  return {
    ...bus,
    consume: (options, { resume, handle }) => {
      const delivered = new Map<string, RecordedEvent[]>();

      const handOut = async (batch: BusBatch): Promise<Offset> => {
        const before = delivered.get(partitionKey(batch)) ?? [];
        delivered.set(partitionKey(batch), before);
        for (let [from, begin] = [batch.from, 0]; ;) {
          const end = Math.min(begin + 1 + random.below(batch.events.length - begin + 1), batch.events.length);
          const cut = end === batch.events.length ? batch.next : offsetAfter(batch, end - 1);
          const next = cut ?? batch.next;
          const part = batch.events.slice(begin, cut === undefined ? undefined : end);
          const repeated = random.chance(0.5) ? before.slice(-random.below(REPEATED_AT_MOST)) : [];
          const handed = { ...batch, from, next, events: [...repeated, ...part] };
          for (let times = random.chance(0.2) ? 2 : 1; times > 0; times--) {
            const offset = await handle(handed);
            if (offset !== next) return offset;
          }
          before.push(...part);
          before.splice(0, before.length - REPEATED_AT_MOST);
          if (next === batch.next) return next;
          [from, begin] = [next, end];
        }
      };
      return bus.consume(options, { resume, handle: handOut });
    },
  };
}
