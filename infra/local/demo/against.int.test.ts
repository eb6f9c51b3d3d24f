import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { findServices } from './against.ts';

const servers: Server[] = [];
afterEach(() => servers.splice(0).forEach((server) => server.close()));

/** A server that says it has these paths. */
async function serve(paths: Record<string, unknown>): Promise<string> {
  const server = createServer((_, response) => response.end(JSON.stringify({ paths }))).listen(0, '127.0.0.1');
  servers.push(server);
  await new Promise((resolve) => server.once('listening', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const commands = { '/api/v1/webhooks/github': { post: {} }, '/api/v1/tasks': { post: {} } };
const queries = { '/api/v1/tasks': { get: {} } };

test('one address stands in front of everything', async () => {
  const url = await serve(queries);
  expect(await findServices([`${url}/`])).toEqual({ commands: url, queries: url });
});

test('of several addresses each service is found by what it answers', async () => {
  const [one, two] = [await serve(queries), await serve(commands)];
  expect(await findServices([one, two])).toEqual({ commands: two, queries: one });
});

test('says what is missing', async () => {
  const [one, two] = [await serve(queries), await serve({})];
  await expect(findServices([one, two])).rejects.toThrow('command-service is not among them');
});

test('says where nobody answers', async () => {
  await expect(findServices(['http://127.0.0.1:1'])).rejects.toThrow(/127\.0\.0\.1:1: no Workledger answers there/);
});
