import type { KafkaRecord } from '@workledger/shared/event-bus/kafka/testing/read-records.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import type { CheckpointMove } from './leader-row.ts';
import type { RelayProcess } from './relay-process.ts';

const EVENTS_A_BATCH = 1_000;
const SHOWN = 5;

type Place = Pick<RecordedEvent, 'id' | 'stream' | 'revision'>;

/** By stream, what a reader keeps who drops repeats by revision; and every way in which what came breaks the contract. */
export type Arrived = { readonly kept: ReadonlyMap<string, readonly string[]>; readonly breaches: readonly string[] };

/** @param records in the order of each partition */
export function arrived(records: readonly KafkaRecord[]): Arrived {
  const kept = new Map<string, string[]>();
  const home = new Map<string, string>();
  const breaches: string[] = [];
  for (const { stream, revision, id, partition } of records) {
    const ids = kept.get(stream) ?? [];
    kept.set(stream, ids);
    if ((home.get(stream) ?? partition) !== partition)
      breaches.push(`${stream} is in ${home.get(stream)} and ${partition}`);
    home.set(stream, partition);
    if (revision > ids.length)
      breaches.push(`${stream}: revision ${revision} came when ${ids.length - 1} was the last`);
    else if (revision === ids.length) ids.push(id);
    else if (ids[revision] !== id) breaches.push(`${stream}: revision ${revision} came again as another event`);
  }
  return { kept, breaches: breaches.slice(0, SHOWN) };
}

/** The ids of each stream, in its order. */
export function idsByStream(events: readonly Place[]): Map<string, string[]> {
  const ids = new Map<string, string[]>();
  for (const { stream, id } of events) ids.set(stream, [...(ids.get(stream) ?? []), id]);
  return ids;
}

/** The streams of which two readers have not the same, with how much each has. */
export const differing = (
  log: ReadonlyMap<string, readonly string[]>,
  seen: ReadonlyMap<string, readonly string[]>,
): string[] =>
  [...new Set([...log.keys(), ...seen.keys()])]
    .filter((stream) => (log.get(stream) ?? []).join() !== (seen.get(stream) ?? []).join())
    .map((stream) => `${stream}: ${log.get(stream)?.length ?? 0} in the log, ${seen.get(stream)?.length ?? 0} seen`)
    .slice(0, SHOWN);

/** Writes to the checkpoint that moved it back, or that came from another relay than the one that led. */
export const wrongMoves = (moves: readonly CheckpointMove[], relays: readonly RelayProcess[]): string[] =>
  moves
    .filter(
      ({ writer, pid, before, checkpoint }) =>
        checkpoint < before || relays.find(({ name }) => name === writer)?.pid !== pid,
    )
    .map((move) => `${move.writer} moved it from ${move.before} to ${move.checkpoint} in epoch ${move.epoch}`)
    .slice(0, SHOWN);

/** A leader that stood still: from when on it was busy, when it was frozen, and when the next one was. In milliseconds. */
export type Frozen = { readonly busyFrom: number; readonly frozenAt: number; readonly until: number };

/**
 * What a leader sent that another one has deposed meanwhile, if that is more than one batch: what it sent after it was frozen, or
 * what came after something of its successor.
 */
export function moreThanOneBatch(
  records: readonly KafkaRecord[],
  logged: readonly Place[],
  { busyFrom, frozenAt, until }: Frozen,
): string[] {
  const isDeposed = producersBetween(records, busyFrom, frozenAt);
  const succeeded = new Set<string>();
  const late: KafkaRecord[] = [];
  for (const record of records.filter(({ sentAt }) => sentAt >= busyFrom && sentAt < until)) {
    const { producer, partition, sentAt } = record;
    if (!isDeposed.has(producer)) succeeded.add(partition);
    else if (sentAt > frozenAt || succeeded.has(partition)) late.push(record);
  }
  const batches = new Map<string, Set<string>>();
  for (const { partition, batch } of late) batches.set(partition, (batches.get(partition) ?? new Set()).add(batch));
  const placeOf = new Map(logged.map(({ id }, place) => [id, place]));
  const places = [...new Set(late.map(({ id }) => placeOf.get(id) ?? -1))].sort((a, b) => a - b);
  return [
    ...[...batches].filter(([, own]) => own.size > 1).map(([partition, own]) => `${own.size} batches to ${partition}`),
    // One that was frozen while it encoded its batch has a part of it with times before: what is late may have holes.
    ...(places.length > 0 && places.at(-1)! - places[0]! >= EVENTS_A_BATCH
      ? [`events that are ${places.at(-1)! - places[0]!} apart in the log`]
      : []),
  ].slice(0, SHOWN);
}

const producersBetween = (records: readonly KafkaRecord[], from: number, to: number): Set<string> =>
  new Set(records.filter(({ sentAt }) => sentAt >= from && sentAt <= to).map(({ producer }) => producer));
