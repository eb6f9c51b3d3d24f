import type { PoolClient } from 'pg';
import type { Continuity } from './fold-events.ts';
import type { Projection } from './projection.ts';
import type { Tables } from './tables.ts';

/** Writes how far the streams came, in one statement. */
export async function saveContinuity(
  client: PoolClient,
  tables: Tables,
  { name, version }: Projection,
  streams: ReadonlyMap<string, Continuity>,
): Promise<void> {
  if (streams.size === 0) return;
  const states = [...streams.values()];
  await client.query(
    `insert into ${tables.streams} as s
       (projection, version, stream, revision, event_id, parked_at, reason, parked_revision, parked_event_id)
     select $1, $2, stream, revision, event_id, case when reason is not null then clock_timestamp() end, reason,
       parked_revision, parked_event_id
     from unnest($3::text[], $4::integer[], $5::uuid[], $6::text[], $7::integer[], $8::uuid[])
       as u (stream, revision, event_id, reason, parked_revision, parked_event_id)
     on conflict (projection, version, stream) do update set revision = excluded.revision, event_id = excluded.event_id,
       parked_at = excluded.parked_at, reason = excluded.reason, parked_revision = excluded.parked_revision,
       parked_event_id = excluded.parked_event_id`,
    [
      name,
      version,
      [...streams.keys()],
      states.map(({ revision }) => revision),
      states.map(({ eventId }) => eventId),
      states.map(({ parked }) => parked?.reason ?? null),
      states.map(({ parked }) => parked?.revision ?? null),
      states.map(({ parked }) => parked?.eventId ?? null),
    ],
  );
}
