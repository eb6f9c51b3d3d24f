import { streamTypes } from '@workledger/shared/events/catalogue.ts';
import { problemCode, serve, type TestClient } from '@workledger/infra/testing/servers/application.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { schemaRoutes } from './schema-routes.ts';

let client: TestClient;
const authenticate = (): never => {
  throw new Error('nobody is asked for a key');
};
beforeAll(async () => {
  client = await serve({ routes: schemaRoutes(), authenticate, logger: captureLog().logger });
});
afterAll(() => client.stop());

describe('the schemas of published events, for whoever comes', () => {
  test('are listed: every event that is not internal', async () => {
    const { status, body } = await client.ask('GET', '/api/v1/schemas');
    const events = streamTypes
      .filter(({ context }) => context !== 'saga')
      .flatMap(({ type, events }) => Object.entries(events).map(([name, { version }]) => `${type}/${name}/${version}`));
    expect(status).toBe(200);
    expect((body['events'] as { href: string }[]).map(({ href }) => href)).toEqual(
      expect.arrayContaining(events.map((event) => `/api/v1/schemas/${event}`)),
    );
    expect(body['cloudEvent']).toBe('/api/v1/schemas/cloud-event');
  });

  test('are served under every listed address, with the name that says the same', async () => {
    const { body } = await client.ask('GET', '/api/v1/schemas');
    const { cloudEvent, events } = body as { cloudEvent: string; events: { href: string }[] };
    for (const href of [cloudEvent, ...events.map(({ href }) => href)]) {
      const { status, headers, body: schema } = await client.ask('GET', href);
      expect([status, headers.get('content-type')]).toEqual([200, 'application/schema+json']);
      expect(schema['$id']).toBe(href.replace('/api/v1', 'https://workledger.dev'));
    }
  });

  test('are not sent twice to a client that keeps them', async () => {
    const path = '/api/v1/schemas/task/TaskCreated/1';
    const first = await client.ask('GET', path);
    const etag = first.headers.get('etag')!;
    // fetch would ask for a whole answer, unless told otherwise.
    const ask = (known: string) =>
      client.ask('GET', path, { headers: { 'If-None-Match': known, 'Cache-Control': 'max-age=0' } });
    expect(first.headers.get('cache-control')).toBe('public, max-age=3600');
    expect((await ask(etag)).status).toBe(304);
    expect((await ask('"another"')).status).toBe(200);
  });

  test.each([
    'task/TaskCreated/99',
    'task/TaskCreated/01',
    'task/TaskMelted/1',
    'saga-code-evolution/SagaEnded/1',
    '..%2F..%2Fpackage/x/1',
    '..%2Fschemas%2Ftask/TaskCreated/1',
  ])('%s is not one', async (path) => {
    const answer = await client.ask('GET', `/api/v1/schemas/${path}`);
    expect([answer.status, problemCode(answer)]).toEqual([404, 'not-found']);
  });

  test('an unknown parameter is refused', async () => {
    const answer = await client.ask('GET', '/api/v1/schemas?version=1');
    expect([answer.status, problemCode(answer)]).toEqual([400, 'invalid-request']);
  });
});
