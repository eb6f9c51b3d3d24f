/**
 * One event, for a caller that is alone; it saves a function's overhead. Moving the counter takes its lock. The head was read
 * before a wait for that lock, so what the lock waited for is caught by the unique index (stream, revision), which undoes all
 * of it. Writes nothing when the stream is not at the expected revision (-1: none).
 * Parameters: stream, expected revision, id, type, version, data, metadata.
 */
export const appendEvent = {
  name: 'append-event',
  text: `
with counter as (
  update event_log.head set position = position + 1
  where $2::integer = coalesce(
    (select revision from event_log.events where stream = $1 order by revision desc limit 1), -1)
  returning position)
insert into event_log.events (position, stream, revision, id, type, version, data, metadata, recorded_at)
select position, $1, $2::integer + 1, $3, $4, $5, $6, $7, clock_timestamp() from counter
returning position`,
};
