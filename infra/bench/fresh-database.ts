import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { NewEvent } from '@workledger/shared/events/recorded-event.ts';

/** Creates a database on a server, works in it, and drops it. @throws Error when no server is given */
export async function inFreshDatabase(
  url: string | undefined,
  work: (connectionString: string) => Promise<void>,
): Promise<void> {
  if (url === undefined) throw new Error('give the server: --url postgres://user@host:port/postgres');
  const name = `bench_${randomBytes(6).toString('hex')}`;
  const server = new pg.Client({ connectionString: url });
  await server.connect();
  try {
    await server.query(`create database ${name} template template0`);
    await work(Object.assign(new URL(url), { pathname: `/${name}` }).toString());
  } finally {
    await server.query(`drop database if exists ${name} with (force)`);
    await server.end();
  }
}

export const newStream = (): string => streamName('task', newId());

const body = 'An issue asks for something, in a sentence or two. '.repeat(4);

/** An event of about 500 bytes, data and metadata together. */
export function newEvent(): NewEvent {
  const commandId = newId();
  const metadata = {
    correlationId: commandId,
    causationId: null,
    commandId,
    commandHash: 'a'.repeat(64),
    actor: 'system',
    traceparent: null,
  };
  return { id: newId(), type: 'TaskCreated', version: 1, data: { title: 'Measure', body, priority: 3 }, metadata };
}
