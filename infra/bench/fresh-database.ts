import { randomBytes } from 'node:crypto';
import pg from 'pg';

/** Creates a database on a server, works in it, and drops it. */
export async function inFreshDatabase(url: string, work: (connectionString: string) => Promise<void>): Promise<void> {
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
