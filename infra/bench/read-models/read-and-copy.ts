import pg from 'pg';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { copyField, copyIn } from './copy-in.ts';

const BATCH = 1_000;

/** What a rebuild cannot do without: reads all events through the log and COPYs them into a table. @returns events copied */
export async function readAndCopy(connectionString: string, log: EventLog): Promise<number> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query(`create table copied (position bigint primary key, stream text, revision integer, id uuid, type text,
    recorded_at timestamptz, data json, metadata json)`);
  let copied = 0;
  let waiting: string[] = [];
  const flush = async (): Promise<void> => {
    await copyIn(client, 'copy copied from stdin', waiting);
    copied += waiting.length;
    waiting = [];
  };
  for await (const event of log.readAll()) {
    waiting.push(line(event));
    if (waiting.length === BATCH) await flush();
  }
  await flush();
  await client.query('drop table copied');
  await client.end();
  return copied;
}

const line = ({ position, stream, revision, id, type, recordedAt, data, metadata }: RecordedEvent): string =>
  [
    String(position),
    stream,
    String(revision),
    id,
    type,
    recordedAt.toISOString(),
    JSON.stringify(data),
    JSON.stringify(metadata),
  ]
    .map(copyField)
    .join('\t');
