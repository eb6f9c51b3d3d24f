import type { Pool } from 'pg';

/**
 * Whether the checkpoint is about these topics. If they were made anew, they hold nothing: the checkpoint goes back to the start
 * of the log, with this, so that they get all of it again.
 * @returns `lost`: another epoch has begun, nothing was written
 */
export async function checkTopics(
  pool: Pool,
  epoch: bigint,
  topicIds: ReadonlyMap<string, string>,
): Promise<'same' | 'made anew' | 'lost'> {
  const ids = [[...topicIds.keys()], [...topicIds.values()]];
  const { rows } = await pool.query<{ changed: boolean }>(
    `with given as (select * from unnest($2::text[], $3::text[]) as g (topic, id)),
     changed as (select exists (select from given join relay.topics t using (topic) where t.id <> given.id) as yes),
     mine as (
       update relay.leader set checkpoint = case when changed.yes then 0 else checkpoint end
       from changed where epoch = $1 returning changed.yes
     ),
     known as (
       insert into relay.topics (topic, id) select topic, id from given, mine
       on conflict (topic) do update set id = excluded.id
     )
     select yes as changed from mine`,
    [epoch, ...ids],
  );
  const row = rows[0];
  if (row === undefined) return 'lost';
  return row.changed ? 'made anew' : 'same';
}
