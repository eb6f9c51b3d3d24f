import type { Projection } from '@workledger/projections/engine/projection.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { upcast } from '@workledger/shared/events/codec.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { selectList, type ReadModelRow } from '@workledger/shared/contexts/define-row.ts';
import { selectRows } from '@workledger/shared/read-models/select-rows.ts';
import type { Pool } from 'pg';
import { collect } from '../../testing/events/any-event.ts';
import { until } from '../../testing/processes/until.ts';

/** The events of the log that a projection follows. */
export const followed = ({ streams }: Projection, log: EventLog): Promise<RecordedEvent[]> =>
  collect(log.readAll({ streams }));

/** What a projection's rows must be: its fold over the whole log and nothing else, by id. */
export async function pureFold(projection: Projection, log: EventLog): Promise<Record<string, ReadModelRow>> {
  const rows: Record<string, ReadModelRow> = {};
  for (const event of (await followed(projection, log)).map(upcast))
    for (const id of projection.key(event)) {
      const row = projection.fold(rows[id], event, id);
      if (row === undefined) delete rows[id];
      else rows[id] = row;
    }
  return rows;
}

/** The rows that a projection wrote, by id. */
export async function writtenRows(projection: Projection, pool: Pool): Promise<Record<string, ReadModelRow>> {
  const { table, version, columns } = projection;
  const rows = await selectRows<ReadModelRow>(
    pool,
    `select ${selectList(columns)} from read_models.${table}_v${version}`,
  );
  return Object.fromEntries(rows.map((row) => [row.id, row]));
}

/** Waits until the projection has seen every followed stream of the log to its end, or has parked it. */
export const untilSeen = ({ name, version, streams }: Projection, log: EventLog, pool: Pool): Promise<true> =>
  until(`projection ${name} to come to the end of the log`, async () => {
    const heads = new Map<string, number>();
    for await (const { stream, revision } of log.readAll({ streams })) heads.set(stream, revision);
    const { rows } = await pool.query<{ stream: string; revision: number; parked: boolean }>(
      'select stream, revision, parked_at is not null as parked from read_models.streams where projection = $1 and version = $2',
      [name, version],
    );
    const seen = new Map(rows.map((row) => [row.stream, row.parked ? Infinity : row.revision]));
    return [...heads].every(([stream, revision]) => (seen.get(stream) ?? -1) >= revision);
  });
