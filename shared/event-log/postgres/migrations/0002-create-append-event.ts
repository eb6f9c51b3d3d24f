import type { Migration } from '../../../migrations/migrate.ts';

/**
 * One event, for a caller that is alone. Moving the counter takes its lock; the insert is a statement of its own, so it sees
 * what the lock waited for. Answers no row's position (null) when the stream is not at the expected revision (-1: none).
 */
const sql = `
create function event_log.append_event(
  at_stream text, expected integer, new_id uuid, new_type text, new_version smallint, new_data json, new_metadata json
) returns bigint language plpgsql volatile as $$
declare
  next_position bigint;
begin
  update event_log.head set position = position + 1 returning position into next_position;
  insert into event_log.events
  select next_position, at_stream, expected + 1, new_id, new_type, new_version, new_data, new_metadata, clock_timestamp()
  where expected = coalesce(
    (select revision from event_log.events where stream = at_stream order by revision desc limit 1), -1);
  if found then
    return next_position;
  end if;
  update event_log.head set position = position - 1;
  return null;
end $$;
`;

export const createAppendEvent: Migration = {
  name: '0002-create-append-event',
  up: async (knex) => void (await knex.raw(sql)),
};
