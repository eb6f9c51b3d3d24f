import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';

/**
 * Another interleaving of the same streams: each stream keeps its own order, all else is chance.
 * @param random as Math.random: [0, 1)
 */
export function interleave(events: readonly RecordedEvent[], random: () => number): RecordedEvent[] {
  const streams = new Map<string, RecordedEvent[]>();
  for (const event of events) {
    const own = streams.get(event.stream);
    if (own === undefined) streams.set(event.stream, [event]);
    else own.push(event);
  }
  const waiting = [...streams.values()].map((own) => own.values());
  const shuffled: RecordedEvent[] = [];
  while (waiting.length > 0) {
    const index = Math.floor(random() * waiting.length);
    const next = waiting[index]?.next();
    if (next === undefined || next.done === true) waiting.splice(index, 1);
    else shuffled.push(next.value);
  }
  return shuffled;
}
