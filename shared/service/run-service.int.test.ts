import { afterAll, expect, it } from 'vitest';
import { createHealth } from '../http/health.ts';
import { route } from '../http/route.ts';
import { startServer } from '../http/server.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { createEntrance } from './run-service.ts';

const { logger } = captureLog();
const checks: Record<string, () => Promise<void>> = { kafka: () => Promise.reject(new Error('starting')) };
const health = createHealth({ checks, details: () => ({ role: 'standby' }), logger });
const entrance = createEntrance({ health: health.routes, title: 'test', logger });
const server = await startServer(entrance.listener, { host: '127.0.0.1', port: 0 });
afterAll(() => server.stop(0));

const get = async (
  path: string,
): Promise<{ status: number; retryAfter: string | null; body: Record<string, unknown> }> => {
  const answer = await fetch(`${server.url}${path}`);
  const body = (await answer.json()) as Record<string, unknown>;
  return { status: answer.status, retryAfter: answer.headers.get('retry-after'), body };
};

it('tells its health and answers all else with 503 until it opens', async () => {
  expect(await get('/health')).toMatchObject({
    status: 503,
    body: { status: 'down', dependencies: { kafka: 'down' }, details: { role: 'standby' } },
  });
  expect((await get('/health/live')).status).toBe(200);
  expect(await get('/api/v1/tasks')).toMatchObject({ status: 503, retryAfter: '1', body: { status: 503 } });

  checks['kafka'] = () => Promise.resolve();
  const hello = route({
    method: 'get',
    path: '/api/v1/tasks',
    role: 'public',
    summary: 'Hello',
    answers: { 200: { description: 'Hello.' } },
    handler: () => ({ json: { hello: true } }),
  });
  entrance.open([hello], () => {
    throw new Error('nobody asks for a key here');
  });
  expect(await get('/health')).toMatchObject({ status: 200, body: { status: 'up', dependencies: { kafka: 'up' } } });
  expect(await get('/api/v1/tasks')).toMatchObject({ status: 200, body: { hello: true } });
  expect((await get('/api/v1/nothing')).status).toBe(404);
});
