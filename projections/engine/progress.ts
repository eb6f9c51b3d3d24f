import type { Pool } from 'pg';
import type { KnownTopics, TopicIds } from '@workledger/shared/consumption/topics.ts';
import type { Context } from '@workledger/shared/contexts/define-events.ts';
import { PARTITIONS, partitionKey, type Offset } from '@workledger/shared/event-bus/port.ts';
import { GAP } from './fold-events.ts';
import { topicsOf, type Target } from './projection.ts';

/** A stretch of one partition of the bus, or of the log itself. */
export type Stretch = {
  readonly topic: string;
  readonly partition: number;
  readonly from: bigint;
  readonly next: bigint;
};

/** Where a read model stands, keyed `topic/partition`. */
export type Standing = ReadonlyMap<string, Offset>;

/** The place under which a projection keeps how far it came in the log itself, before it follows the bus. */
export const CATCHING_UP = { topic: '$log', partition: 0 } as const;
export const CATCHING_UP_KEY = `${CATCHING_UP.topic}/${CATCHING_UP.partition}`;

/** Where each read model stands in each partition; empty before its first start. */
export async function standings(pool: Pool, targets: readonly Target[]): Promise<Map<Target, Standing>> {
  const [first] = targets;
  if (first === undefined) return new Map();
  const { rows } = await pool.query<{ projection: string; version: number; place: string; next_offset: string }>(
    `select projection, version, topic || '/' || partition as place, next_offset from ${first.progress}
     where (projection, version) in (select * from unnest($1::text[], $2::integer[]))`,
    namesAndVersions(targets),
  );
  return new Map(
    targets.map((target) => [
      target,
      new Map(ownOf(target, rows).map(({ place, next_offset }) => [place, BigInt(next_offset)])),
    ]),
  );
}

export const storedProgress = async (pool: Pool, target: Target): Promise<Standing> =>
  (await standings(pool, [target])).get(target) ?? new Map();

/** The partitions of the bus in which a read model does not stand: the log tells it what they have. */
export const missingPlaces = ({ projection }: Target, standing: Standing): string[] =>
  topicsOf(projection)
    .flatMap((topic) => Array.from({ length: PARTITIONS }, (_, partition) => partitionKey({ topic, partition })))
    .filter((place) => !standing.has(place));

/** Whether a read model follows the bus in all partitions: there is nothing to catch up with. */
export const isCaughtUp = (target: Target, standing: Standing): boolean =>
  !standing.has(CATCHING_UP_KEY) && missingPlaces(target, standing).length === 0;

/** Marks the start of the log as reached, unless the projection has any progress already. */
export async function beginCatchUp(pool: Pool, { progress, projection: { name, version } }: Target): Promise<void> {
  await pool.query(
    `insert into ${progress} (projection, version, topic, partition, next_offset)
     select $1, $2, $3, $4, 0
     where not exists (select from ${progress} where projection = $1 and version = $2)
     on conflict do nothing`,
    [name, version, CATCHING_UP.topic, CATCHING_UP.partition],
  );
}

/**
 * Turns from the log to the bus: the catch-up's place gives way to one for each partition that has none.
 * @param reached position of the log @param offsets of all partitions
 * @param topicIds of the topics that the offsets are about; where the read model kept its place in a partition, it keeps what it knows
 * @returns false when another worker moved on meanwhile; nothing was written then
 */
export async function finishCatchUp(
  pool: Pool,
  { progress, topics, projection: { name, version } }: Target,
  reached: bigint,
  offsets: ReadonlyMap<string, Offset>,
  topicIds: ReadonlyMap<string, string>,
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `with done as (
       delete from ${progress}
       where projection = $1 and version = $2 and topic = $3 and partition = $4 and next_offset = $5
       returning 1
     ),
     opened as (
       insert into ${progress} (projection, version, topic, partition, next_offset, position)
       select $1, $2, split_part(place, '/', 1), split_part(place, '/', 2)::integer, next_offset, $5
       from done, unnest($6::text[], $7::bigint[]) as u (place, next_offset)
       on conflict do nothing
     ),
     known as (
       insert into ${topics} (projection, version, topic, id)
       select $1, $2, u.topic, u.id from done, unnest($8::text[], $9::text[]) as u (topic, id)
       where not exists (
         select from ${progress} p where p.projection = $1 and p.version = $2 and p.topic = u.topic
       )
       on conflict (projection, version, topic) do update set id = excluded.id
     )
     select from done`,
    [
      ...[name, version, CATCHING_UP.topic, CATCHING_UP.partition, reached],
      ...[[...offsets.keys()], [...offsets.values()], [...topicIds.keys()], [...topicIds.values()]],
    ],
  );
  return rowCount === 1;
}

/** What a read model cannot go on from. Whoever comes late with it finds that another worker has moved on, and changes nothing. */
export type Lost = {
  /** Partitions, and where they stood; the log tells what comes after their positions. */
  readonly offsets?: Standing;
  /** Topics that were made anew, and the ids that were known of them; the log tells all that they have. */
  readonly topics?: ReadonlyMap<string, string>;
  /** Partitions that were found without progress; the log tells all that they have. */
  readonly missing?: readonly string[];
};

/**
 * Turns back from the bus to the log in the partitions that were lost. What is applied already will be dropped by continuity; streams
 * that were stopped by a gap go on, for the log has none. The place of the catch-up comes first, and while it stands no other partition
 * is given up: so whoever reads the log knows for which ones.
 */
export async function returnToLog(pool: Pool, target: Target, lost: Lost): Promise<void> {
  const { progress, topics, streams } = target;
  const { name, version } = target.projection;
  const { offsets = new Map<string, Offset>(), topics: ids = new Map<string, string>(), missing = [] } = lost;
  await pool.query(
    `with own as (select * from ${progress} where projection = $1 and version = $2 and topic <> $3),
     lost as (
       select p.topic, p.partition, p.next_offset, coalesce(p.position, 0) as position
       from own p join unnest($5::text[], $6::bigint[]) as k (place, next_offset)
         on k.place = p.topic || '/' || p.partition and k.next_offset = p.next_offset
       union all
       select p.topic, p.partition, p.next_offset, 0
       from own p join ${topics} t using (projection, version, topic)
       join unnest($7::text[], $8::text[]) as k (topic, id) on k.topic = t.topic and k.id = t.id
       union all
       select null, null, null, 0
       from unnest($9::text[]) as m (place)
       where not exists (select from own p where m.place = p.topic || '/' || p.partition)
     ),
     returned as (
       insert into ${progress} (projection, version, topic, partition, next_offset)
       select $1, $2, $3, $4, min(position) from lost having count(*) > 0
       on conflict do nothing
       returning 1
     ),
     gone as (
       delete from ${progress} p using lost l, returned
       where p.projection = $1 and p.version = $2 and p.topic = l.topic and p.partition = l.partition
         and p.next_offset = l.next_offset
     )
     update ${streams} set parked_at = null, reason = null, parked_revision = null, parked_event_id = null
     where projection = $1 and version = $2 and reason like '${GAP}:%' and exists (select from returned)`,
    [
      ...[name, version, CATCHING_UP.topic, CATCHING_UP.partition],
      ...[[...offsets.keys()], [...offsets.values()], [...ids.keys()], [...ids.values()], missing],
    ],
  );
}

/** The ids of the topics that the progress of each read model is about, as far as it knows them. */
export async function topicIdsOf(pool: Pool, targets: readonly Target[]): Promise<Map<Target, TopicIds>> {
  const [first] = targets;
  if (first === undefined) return new Map();
  const { rows } = await pool.query<{ projection: string; version: number; topic: Context; id: string }>(
    `select projection, version, topic, id from ${first.topics}
     where (projection, version) in (select * from unnest($1::text[], $2::integer[]))`,
    namesAndVersions(targets),
  );
  return new Map(targets.map((target) => [target, new Map(ownOf(target, rows).map(({ topic, id }) => [topic, id]))]));
}

const namesAndVersions = (targets: readonly Target[]): [string[], number[]] => [
  targets.map(({ projection }) => projection.name),
  targets.map(({ projection }) => projection.version),
];

const ownOf = <Row extends { projection: string; version: number }>(
  { projection: { name, version } }: Target,
  rows: readonly Row[],
): Row[] => rows.filter((row) => row.projection === name && row.version === version);

/** Where a projection keeps the ids of the topics that its progress is about. */
export const knownTopicsOf = (pool: Pool, target: Target): KnownTopics => ({
  topicIds: async () => (await topicIdsOf(pool, [target])).get(target) ?? new Map(),
  adopt: async (ids) => {
    const { topics, projection } = target;
    await pool.query(
      `insert into ${topics} (projection, version, topic, id)
       select $1, $2, * from unnest($3::text[], $4::text[]) on conflict do nothing`,
      [projection.name, projection.version, [...ids.keys()], [...ids.values()]],
    );
  },
});
