import type { Client, Connection, Submittable } from 'pg';

type CopyConnection = Connection & { sendCopyFromChunk(chunk: Buffer): void; endCopyFrom(): void };

/** Sends lines to `copy … from stdin` in one go. */
export function copyIn(client: Client, sql: string, lines: Iterable<string>): Promise<void> {
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
export const copyField = (value: string): string =>
  value.replace(/[\\\t\n\r]/g, (sign) => `\\${{ '\\': '\\', '\t': 't', '\n': 'n', '\r': 'r' }[sign] ?? sign}`);
