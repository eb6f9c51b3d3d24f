import pg, { type Client, type Connection, type Submittable } from 'pg';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';

type CopyConnection = Connection & { sendCopyFromChunk(chunk: Buffer): void; endCopyFrom(): void };

/** Sends lines to `copy … from stdin` in one go. */
function copyIn(client: Client, sql: string, lines: Iterable<string>): Promise<void> {
  return new Promise((resolve, reject) => {
    let failure: Error | null = null;
    const copy: Submittable & Record<string, unknown> = {
      submit: (connection: Connection) => void connection.query(sql),
      handleCopyInResponse: (connection: CopyConnection) => {
        let chunk = '';
        const send = (): void => {
          if (chunk !== '') connection.sendCopyFromChunk(Buffer.from(chunk));
          chunk = '';
        };
        for (const line of lines) {
          chunk += `${line}\n`;
          if (chunk.length > 60_000) send();
        }
        send();
        connection.endCopyFrom();
      },
      handleCommandComplete: () => undefined,
      handleError: (error: Error) => void (failure = error),
      handleReadyForQuery: () => (failure === null ? resolve() : reject(failure)),
    };
    client.query(copy);
  });
}

/** A field of COPY's text format. */
const copyField = (value: string): string =>
  value.replace(/[\\\t\n\r]/g, (sign) => `\\${{ '\\': '\\', '\t': 't', '\n': 'n', '\r': 'r' }[sign] ?? sign}`);

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
