import { afterEach, describe, expect, it } from 'vitest';
import { ask, askRaw, caddyForTests, startStand } from './testing.ts';

const caddy = await caddyForTests();

describe.skipIf(caddy === null)('the gateway', async () => {
  if (caddy === null) return;
  const { gateway, commands, queries } = await startStand();
  const all = [...commands, ...queries];
  afterEach(() => {
    for (const upstream of all) Object.assign(upstream, { ready: true, received: upstream.received.splice(0, 0) });
    for (const { received } of all) received.length = 0;
  });

  it.each(['GET', 'OPTIONS'])('sends %s below /api to query-service', async (method) => {
    const { status, body } = await ask(`${gateway.url}/api/v1/tasks?limit=3`, { method });
    expect(status).toBe(200);
    expect(body).toMatchObject({ name: expect.stringMatching(/^q/), method, path: '/api/v1/tasks?limit=3' });
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('sends %s below /api to command-service', async (method) => {
    const { body } = await ask(`${gateway.url}/api/v1/tasks/x`, { method, body: '{"a":1}' });
    expect(body).toMatchObject({ name: expect.stringMatching(/^c/), method, path: '/api/v1/tasks/x', bytes: 7 });
  });

  it('has the description of either side', async () => {
    expect((await ask(`${gateway.url}/api/v1/openapi.json`)).body['name']).toMatch(/^q/);
    const commandSide = await ask(`${gateway.url}/api/v1/openapi/commands.json`);
    expect(commandSide.body).toMatchObject({ name: expect.stringMatching(/^c/), path: '/api/v1/openapi.json' });
  });

  it.each([
    '/api/v1/service/commands',
    '/api/v1/service',
    '/API/V1/Service/commands',
    '/api/v1/%73ervice/commands',
    '/api/v1//service/commands',
    '/api//v1/service/commands',
    '//api/v1/service/commands',
    '/api/v1/x/../service/commands',
    '/api/v1/x/%2e%2e/service/commands',
    '/api/v1/./service/commands',
    '/api/v1/service%2Fcommands',
    '/api/v1/service/commands?x=1',
  ])('lets nobody in to %s', async (path) => {
    for (const method of ['POST', 'GET']) expect(await askRaw(gateway.url, method, path)).toBe(404);
    expect(all.flatMap(({ received }) => received)).toEqual([]);
  });

  it.each(['/', '/metrics', '/api', '/health/relay', '/debug/pprof/'])('answers 404 to %s itself', async (path) => {
    const { status, headers, body } = await ask(`${gateway.url}${path}`);
    expect(status).toBe(404);
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(body).toMatchObject({ type: 'https://workledger.dev/problems/unknown-route', status: 404 });
    expect(all.flatMap(({ received }) => received)).toEqual([]);
  });

  it('says who asked, and believes no client about it', async () => {
    const { body } = await ask(`${gateway.url}/api/v1/tasks`, { headers: { 'X-Forwarded-For': '203.0.113.9' } });
    expect(body['headers']).toMatchObject({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': new URL(gateway.url).host,
    });
  });

  it('passes key, token and headers of the service on, and adds none that tells what it is', async () => {
    queries.forEach((query) => {
      query.answer = (_received, response) =>
        response.writeHead(503, { 'Retry-After': '7', 'X-Correlation-Id': 'abc', 'Content-Type': 'application/problem+json' }).end('{}'); // prettier-ignore
    });
    const headers = { Authorization: 'Bearer secret', 'Consistency-Token': 't@1' };
    const answer = await ask(`${gateway.url}/api/v1/tasks`, { headers });
    queries.forEach((query) => (query.answer = null));
    expect(answer.status).toBe(503);
    expect(answer.body).toEqual({});
    expect(answer.headers.get('retry-after')).toBe('7');
    expect(answer.headers.get('x-correlation-id')).toBe('abc');
    expect([answer.headers.get('server'), answer.headers.get('via')]).toEqual([null, null]);
    const got = queries.flatMap(({ received }) => received);
    expect(got).toHaveLength(1);
    expect(got[0]?.headers).toMatchObject({ authorization: 'Bearer secret', 'consistency-token': 't@1' });
  });

  it('is healthy while both sides have an instance that is ready', async () => {
    const health = async (): Promise<number> => (await ask(`${gateway.url}/health`)).status;
    expect(await health()).toBe(200);
    commands[0]!.ready = false;
    await expect.poll(health, { timeout: 10_000 }).toBe(200);
    commands[1]!.ready = false;
    await expect.poll(health, { timeout: 10_000, interval: 100 }).toBe(503);
    commands[0]!.ready = true;
    await expect.poll(health, { timeout: 10_000, interval: 100 }).toBe(200);
    queries.forEach((query) => (query.ready = false));
    await expect.poll(health, { timeout: 10_000, interval: 100 }).toBe(503);
    expect((await ask(`${gateway.url}/health/live`)).status).toBe(200);
    queries.forEach((query) => (query.ready = true));
    await expect.poll(health, { timeout: 10_000, interval: 100 }).toBe(200);
  });

  it("shows a service's own report, ready or not", async () => {
    expect((await ask(`${gateway.url}/health/query-service`)).body).toMatchObject({ path: '/health' });
    commands.forEach((command) => (command.ready = false));
    const report = await ask(`${gateway.url}/health/command-service`);
    expect(report).toMatchObject({ status: 503, body: { name: expect.stringMatching(/^c/), path: '/health' } });
    commands.forEach((command) => (command.ready = true));
    await expect.poll(async () => (await ask(`${gateway.url}/health`)).status, { timeout: 10_000 }).toBe(200);
  });
});
