import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { refuse } from '../commands/refusal.ts';
import { currentContext } from '../telemetry/request-context.ts';
import { createHealth } from './health.ts';
import { Problem } from './problem.ts';
import { type Peer, route } from './route.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { problemCode, serve, type TestClient } from '@workledger/infra/testing/servers/application.ts';

const { logger, lines, text } = captureLog();
let sick = false;
let aborted: Promise<void>;

const answers = { 200: { description: 'Done.' } };
const routes = [
  route({
    method: 'post',
    path: '/api/v1/things/{id}',
    role: ['operator'],
    summary: 'Echo',
    params: z.strictObject({ id: z.uuid() }),
    query: z.strictObject({ limit: z.coerce.number().int().max(100).default(10) }),
    headers: z.object({ 'if-match': z.string().optional() }),
    body: z.strictObject({ name: z.string().max(5).default('none') }),
    answers,
    handler: ({ params, query, body, headers, principal, correlationId }) => ({
      json: { params, query, body, headers, principal, correlationId, context: currentContext() },
    }),
  }),
  route({
    method: 'get',
    path: '/api/v1/things/{id}',
    role: 'public',
    summary: 'By id',
    answers,
    handler: () => ({ json: 'id' }),
  }),
  route({
    method: 'get',
    path: '/api/v1/things/next',
    role: 'public',
    summary: 'Next',
    answers,
    handler: () => ({ json: 'next' }),
  }),
  route({
    method: 'get',
    path: '/api/v1/broken',
    role: 'public',
    summary: 'Throws',
    answers,
    handler: () => {
      throw new Error('connecting postgres://app:hunter2@db/x failed');
    },
  }),
  route({
    method: 'get',
    path: '/api/v1/refused',
    role: 'public',
    summary: 'Refuses',
    answers,
    handler: () => refuse('dependency-cycle', 'a waits for b', { cycle: ['a', 'b'] }),
  }),
  route({
    method: 'get',
    path: '/api/v1/stream',
    role: 'public',
    summary: 'Streams',
    answers,
    handler: ({ signal }) => {
      aborted = new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      const endless = async function* () {
        while (!signal.aborted) yield 'x'.repeat(10_000);
      };
      return { stream: endless(), mediaType: 'application/x-ndjson' };
    },
  }),
  ...createHealth({
    logger,
    checks: {
      store: async () => {
        if (sick) throw new Error('password hunter2 refused');
      },
    },
  }).routes,
];

const peers: Peer[] = [];
const authenticate = async (authorization: string | undefined, peer: Peer) => {
  peers.push(peer);
  const [, role] = /^Bearer (operator|viewer)$/.exec(authorization ?? '') ?? [];
  if (role === undefined) throw new Problem('unauthenticated', 'no key', { headers: { 'WWW-Authenticate': 'Bearer' } });
  return {
    keyId: '1',
    role: role as 'operator' | 'viewer',
    agentId: null,
    repositories: null,
    teams: [],
    actor: 'key:1',
  };
};

const ID = '0198c0de-0000-7000-8000-000000000000';
const THING = `/api/v1/things/${ID}`;
let client: TestClient;
beforeAll(async () => {
  client = await serve({ routes, authenticate, logger });
});
afterAll(() => client.stop());

describe('a request that is well formed', () => {
  test('is authenticated by where it came from, too: the connection, and what it says itself', async () => {
    const headers = { 'X-Forwarded-For': '198.51.100.1, 198.51.100.2' };
    await client.ask('POST', THING, { key: 'operator', json: { name: 'x' }, headers });
    expect(peers.at(-1)).toEqual({ address: '127.0.0.1', forwardedFor: '198.51.100.1, 198.51.100.2' });
  });

  test('reaches the handler parsed, with its principal and its context', async () => {
    const correlation = { 'X-Correlation-Id': 'chat-1', traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` };
    const told = await client.ask('POST', `${THING}?limit=3`, {
      key: 'operator',
      json: { name: 'x' },
      headers: { ...correlation, 'If-Match': '"3"' },
    });
    expect(told.body).toMatchObject({
      params: { id: ID },
      query: { limit: 3 },
      body: { name: 'x' },
      headers: { 'if-match': '"3"' },
      principal: { actor: 'key:1' },
      correlationId: 'chat-1',
      context: {
        correlationId: 'chat-1',
        actor: 'key:1',
        traceparent: expect.stringMatching(`^00-${'a'.repeat(32)}-(?!b{16})`),
      },
    });
    expect(told.headers.get('x-correlation-id')).toBe('chat-1');
    expect(told.headers.get('x-powered-by')).toBeNull();
    expect(told.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('may leave out a body whose fields all have defaults', async () => {
    expect((await client.ask('POST', THING, { key: 'operator' })).body).toMatchObject({ body: { name: 'none' } });
  });

  test('a fixed word comes before a parameter, whatever the order of the table', async () => {
    const told = await fetch(`${client.url}/api/v1/things/next`);
    expect(await told.json()).toBe('next');
  });

  test('leaves one log line with status, duration and context', async () => {
    await client.ask('POST', `${THING}?limit=4`, {
      key: 'operator',
      headers: { 'X-Correlation-Id': 'logged' },
    });
    await expect
      .poll(() => lines().find((line) => line['correlationId'] === 'logged'))
      .toMatchObject({ msg: 'request', method: 'POST', path: THING, status: 200, actor: 'key:1', level: 'info' });
  });
});

describe('a request that is not', () => {
  const as = { key: 'operator' };
  const cases: [string, string, string, Parameters<TestClient['ask']>[2], number, string][] = [
    ['no key', 'POST', THING, { json: {} }, 401, 'unauthenticated'],
    ['a weak role', 'POST', THING, { key: 'viewer', json: {} }, 403, 'forbidden'],
    ['an unknown field', 'POST', THING, { ...as, json: { nam: 'x' } }, 400, 'invalid-request'],
    [
      'a field named __proto__',
      'POST',
      THING,
      { ...as, text: '{"__proto__":{"role":"admin"}}' },
      400,
      'invalid-request',
    ],
    ['a wrong type', 'POST', THING, { ...as, json: { name: 1 } }, 400, 'invalid-request'],
    ['too long a text', 'POST', THING, { ...as, json: { name: 'abcdef' } }, 400, 'invalid-request'],
    ['a list as body', 'POST', THING, { ...as, json: [] }, 400, 'invalid-request'],
    ['an unknown parameter', 'POST', `${THING}?limt=3`, { ...as, json: {} }, 400, 'invalid-request'],
    ['no UUID in the path', 'POST', '/api/v1/things/7', { ...as, json: {} }, 400, 'invalid-request'],
    ['a broken escape in the path', 'POST', '/api/v1/things/%zz', { ...as, json: {} }, 400, 'invalid-request'],
    ['no JSON', 'POST', THING, { ...as, text: '{' }, 400, 'invalid-json'],
    ['no UTF-8', 'POST', THING, { ...as, text: Buffer.from('7b22ff227d', 'hex') }, 400, 'invalid-json'],
    ['a body over 100 kB', 'POST', THING, { ...as, json: { name: 'x'.repeat(110_000) } }, 413, 'too-large'],
    [
      'another media type',
      'POST',
      THING,
      { ...as, text: 'a=1', headers: { 'Content-Type': 'text/plain' } },
      415,
      'unsupported-media-type',
    ],
    [
      'another encoding',
      'POST',
      THING,
      { ...as, text: '{}', headers: { 'Content-Encoding': 'zstd' } },
      415,
      'unsupported-media-type',
    ],
    ['another method', 'DELETE', THING, as, 405, 'method-not-allowed'],
    ['an unknown route', 'GET', '/api/v1/nothing', as, 404, 'unknown-route'],
  ];
  test.each(cases)('%s', async (_, method, path, asked, status, code) => {
    const told = await client.ask(method, path, asked);
    expect([told.status, problemCode(told)]).toEqual([status, code]);
    expect(told.headers.get('content-type')).toBe('application/problem+json');
    expect(told.body).toMatchObject({
      status,
      instance: path.split('?')[0],
      correlationId: told.headers.get('x-correlation-id'),
    });
  });

  test('tells every faulty field with its path', async () => {
    const told = await client.ask('POST', THING, { ...as, json: { name: 1, other: 2 } });
    expect(told.body['errors']).toEqual([
      { path: 'body.name', message: expect.stringContaining('expected string') },
      { path: 'body', message: 'Unrecognized key: "other"' },
    ]);
  });

  test('what may be done instead is said in the headers', async () => {
    expect((await client.ask('POST', THING, { json: {} })).headers.get('www-authenticate')).toMatch(/^Bearer/);
    expect((await client.ask('DELETE', THING)).headers.get('allow')).toBe('POST, GET, HEAD, OPTIONS');
  });

  test('a correlation id that is not sane is replaced', async () => {
    const told = await client.ask('GET', '/api/v1/nothing', { headers: { 'X-Correlation-Id': 'a b"' } });
    expect(told.headers.get('x-correlation-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('errors', () => {
  test('a refusal keeps its code, its words and its facts', async () => {
    const told = await client.ask('GET', '/api/v1/refused');
    expect(told.body).toMatchObject({ status: 409, detail: 'a waits for b', facts: { cycle: ['a', 'b'] } });
    expect(problemCode(told)).toBe('dependency-cycle');
  });

  test('an unforeseen error says nothing but where to look; the log has it without the secret', async () => {
    const told = await client.ask('GET', '/api/v1/broken');
    expect([told.status, problemCode(told)]).toEqual([500, 'internal-error']);
    expect(JSON.stringify(told.body)).not.toMatch(/postgres|hunter2|\bat /);
    expect(text()).toContain('postgres://app:[hidden]@db/x failed');
    expect(text()).not.toContain('hunter2');
  });
});

describe('a stream', () => {
  test('ends when the client goes away', async () => {
    const stop = new AbortController();
    const response = await fetch(`${client.url}/api/v1/stream`, { signal: stop.signal });
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    await response.body?.getReader().read();
    stop.abort();
    await expect(aborted).resolves.toBeUndefined();
  });
});

describe('health', () => {
  test('names each dependency, without why it is down', async () => {
    expect((await client.ask('GET', '/health')).body).toEqual({ status: 'up', dependencies: { store: 'up' } });
    sick = true;
    const told = await client.ask('GET', '/health/ready');
    expect([told.status, told.body]).toEqual([503, { status: 'down', dependencies: { store: 'down' } }]);
    expect((await client.ask('GET', '/health/live')).status).toBe(200);
  });
});

describe('OpenAPI', () => {
  test('describes every route with its parameters, roles and problems', async () => {
    const { body } = await client.ask('GET', '/api/v1/openapi.json');
    const paths = body['paths'] as Record<string, Record<string, Record<string, unknown>>>;
    expect(Object.keys(paths)).toEqual(expect.arrayContaining([...new Set(routes.map((each) => each.path))]));
    expect(paths['/api/v1/things/{id}']?.['post']).toMatchObject({
      security: [{ key: [] }],
      'x-roles': ['operator'],
      'x-limited-keys': [],
      parameters: [
        { name: 'id', in: 'path', required: true },
        { name: 'limit', in: 'query', required: false },
        { name: 'if-match', in: 'header', required: false },
      ],
      requestBody: { required: false, content: { 'application/json': { schema: { additionalProperties: false } } } },
      responses: { 200: {}, 400: {}, 401: {}, 403: {}, 413: {}, 415: {}, 500: {} },
    });
  });
});
