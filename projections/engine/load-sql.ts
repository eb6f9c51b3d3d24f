import { selectList } from '@workledger/shared/contexts/define-row.ts';
import type { Tables } from './tables.ts';

/**
 * The progress row with the state of each wanted (stream, row id); nothing when the progress is not where the stretch begins.
 * Laterals, so that a plan made while the tables were empty never turns into a scan of the whole.
 */
export const loadSql = (tables: Tables, columns: readonly string[]): string => `
select p.xmin::text, w.stream, s.revision, s.event_id, s.reason, s.parked_revision, s.parked_event_id,
  ${selectList(columns, 'r')}
from ${tables.progress} p
cross join unnest($6::text[], $7::text[]) as w (stream, id)
left join lateral (
  select * from ${tables.streams} where projection = $1 and version = $2 and stream = w.stream limit 1
) s on true
left join lateral (select * from ${tables.rows} where id = w.id limit 1) r on true
where p.projection = $1 and p.version = $2 and p.topic = $3 and p.partition = $4 and p.next_offset = $5`;
