import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pause } from '@workledger/shared/resilience/pause.ts';
import { triesBodiesAgain } from './caddy.ts';
import { startGateway } from './start-gateway.ts';
import { ask, caddyForTests, startStand, gatewayFolder, startUpstream, type Upstream } from './testing.ts';

const caddy = await caddyForTests();

describe.skipIf(caddy === null)('the gateway, as instances die,', async () => {
  if (caddy === null) return;
  const { gateway, commands, queries } = await startStand();
  const post = (path: string, headers: Record<string, string> = {}) =>
    ask(`${gateway.url}${path}`, { method: 'POST', body: JSON.stringify({ much: 'x'.repeat(50_000) }), headers });
  const reachable = (instances: readonly Upstream[], method: string) =>
    expect
      .poll(
        async () => {
          const names = new Set<unknown>();
          for (let turn = 0; turn < 4; turn++)
            names.add((await ask(`${gateway.url}/api/v1/warm-up`, { method })).body['name']);
          return [...names].sort();
        },
        { timeout: 15_000 },
      )
      .toEqual(instances.map(({ name }) => name));

  it('answers every read by another instance at once', async () => {
    await queries[0]!.die();
    for (let turn = 0; turn < 6; turn++) {
      const { status, body } = await ask(`${gateway.url}/api/v1/tasks`);
      expect([status, body['name']]).toEqual([200, 'q2']);
    }
    await queries[0]!.revive();
    await reachable(queries, 'GET');
  });

  it.runIf(triesBodiesAgain(caddy))('gives every command with its whole body to another instance at once', async () => {
    await commands[1]!.die();
    // A command that meets a connection in the moment of its end has been sent, perhaps: that is the other test.
    await pause(200);
    commands[0]!.received.length = 0;
    for (let turn = 0; turn < 6; turn++) {
      const { status, body } = await post(`/api/v1/tasks?turn=${turn}`);
      expect([status, body['name'], body['bytes']]).toEqual([200, 'c1', 50_011]);
    }
    expect(commands[0]!.received).toHaveLength(6);
    await commands[1]!.revive();
    await reachable(commands, 'DELETE');
  });

  it('sends nothing to an instance that is not ready, and again when it is', async () => {
    queries[0]!.ready = false;
    await reachable([queries[1]!], 'GET');
    queries[0]!.ready = true;
    await reachable(queries, 'GET');
  });

  it('never repeats a command that an instance has received, and says that its outcome is not known', async () => {
    commands.forEach((command) => {
      command.received.length = 0;
      command.answer = (_received, response) => response.socket?.destroy();
    });
    for (const headers of [{}, { 'Idempotency-Key': 'one' }]) {
      const { status, headers: given, body } = await post('/api/v1/tasks', headers);
      expect(status).toBe(502);
      expect(given.get('retry-after')).toBe('1');
      expect(given.get('content-type')).toBe('application/problem+json');
      expect(body).toMatchObject({ type: 'https://workledger.dev/problems/no-answer', status: 502 });
    }
    expect(commands.flatMap(({ received }) => received)).toHaveLength(2);
    commands.forEach((command) => (command.answer = null));
  });

  it('answers 503 as a problem when all are gone, and goes on when one is back', async () => {
    for (const command of commands) await command.die();
    await expect.poll(async () => (await post('/api/v1/tasks')).status, { timeout: 20_000 }).toBe(503);
    const { headers, body } = await post('/api/v1/tasks');
    expect(headers.get('retry-after')).toBe('1');
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(body).toMatchObject({ type: 'https://workledger.dev/problems/unavailable', status: 503 });
    await commands[0]!.revive();
    await expect.poll(async () => (await post('/api/v1/tasks')).status, { timeout: 20_000 }).toBe(200);
  });

  it('writes no key and no body to its log', async () => {
    const folder = await gatewayFolder();
    const lonely = await startUpstream('lonely');
    const other = await startGateway({
      listen: { host: '127.0.0.1', port: 0 },
      commandServices: [lonely.address],
      queryServices: [lonely.address],
      folder,
      log: () => undefined,
    });
    lonely.answer = (_received, response) => response.socket?.destroy();
    const headers = { Authorization: 'Bearer wl_hunter2', Cookie: 'hunter2' };
    await ask(`${other!.url}/api/v1/tasks`, { method: 'POST', body: 'hunter2', headers });
    await other!.stop();
    await lonely.die();
    const log = await readFile(join(folder, 'gateway.log'), 'utf8');
    expect(log).toContain('/api/v1/tasks');
    expect(log).not.toContain('hunter2');
  });
});
