import type { Commands } from '@workledger/shared/commands/port.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { createHttpCommands } from '@workledger/shared/commands/http/http-commands.ts';
import { createApplication } from '@workledger/shared/http/application.ts';
import { startServer, type RunningServer } from '@workledger/shared/http/server.ts';
import { newApiKey } from '@workledger/shared/security/api-key.ts';
import { authenticateWith } from '@workledger/shared/security/authenticate.ts';
import { createKeyStore } from '@workledger/shared/security/key-store.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import type { RequestListener } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventsOf } from '../processes/testing.ts';
import { createCommandRoutes } from './command-routes.ts';
import { asAgent, asSaga, failure, outcomeOf, overHttp, scenarios } from './testing/scenarios.ts';
import { startService, type Service } from './testing/service.ts';

let service: Service;
let http: Commands;
beforeAll(async () => {
  service = await startService();
  http = await overHttp(service);
});
afterAll(() => service.close());

const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** The same with its ids numbered in the order in which they come, so that two runs can be compared. */
function withNumberedIds(value: unknown): unknown {
  const ids: string[] = [];
  const text = JSON.stringify(value).replace(UUID, (id) => {
    if (!ids.includes(id)) ids.push(id);
    return `#${ids.indexOf(id)}`;
  });
  return JSON.parse(text) as unknown;
}

test.each(scenarios)('$name: $ends, in process and over HTTP alike', async ({ run, ends }) => {
  const inProcess = await run(service.commands, service);
  const last = inProcess.at(-1)!;
  expect('answer' in last ? 'answer' : 'refused' in last ? last.refused : last.failed).toBe(ends);
  expect(withNumberedIds(await run(http, service))).toEqual(withNumberedIds(inProcess));
});

test('what is recorded is the same: who asked, why, in which conversation, under which id', async () => {
  const recorded = async (commands: Commands) => {
    const [agentId, more] = [newId(), { causationId: newId(), commandId: newId() }];
    const context = asAgent(agentId, { ...more, traceparent: `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01` });
    const { stream } = await commands.send(
      { type: 'agent.register', target: agentId, data: { name: 'one' } },
      { ...context, correlationId: `a:${newId()}` },
    );
    return (await eventsOf(service.log, stream)).map(({ id, type, data, metadata }) => ({
      id,
      type,
      data,
      // It is of the target, too, which is another one.
      metadata: { ...metadata, commandHash: metadata.commandHash.length },
    }));
  };
  expect(withNumberedIds(await recorded(http))).toEqual(withNumberedIds(await recorded(service.commands)));
});

test('many at once take effect once each', async () => {
  const ids = Array.from({ length: 50 }, () => newId());
  const send = (id: string) =>
    http.send({ type: 'agent.register', target: id, data: { name: 'one of many' } }, asAgent(id, { commandId: id }));
  const answers = await Promise.all([...ids, ...ids].map(send));
  expect(answers.slice(50)).toEqual(answers.slice(0, 50));
  expect(answers.every(({ revision }) => revision === 0)).toBe(true);
});

test('a body that is larger than any command is refused, too', async () => {
  const data = { attempt: 1, strategy: 'first', failure: failure(2_000_000), costUsd: null };
  const command = { type: 'generation.fail-attempt', target: newId(), data };
  expect(await outcomeOf(http.send(command, asSaga()))).toMatchObject({ refused: 'too-large' });
});

test('what services do not send is refused for good, naming what is wrong', async () => {
  const command = { type: 'key.revoke', target: newId(), data: {} };
  const facts = { errors: [{ path: 'body.command.type', message: expect.any(String) as string }] };
  expect(await outcomeOf(http.send(command, asSaga()))).toMatchObject({ refused: 'invalid-command', facts });
});

const register = (commands: Commands, id: string) =>
  commands.send({ type: 'agent.register', target: id, data: { name: 'one' } }, asAgent(id));

/** One more instance of the service, at a port of its own. */
async function instance(port = 0, around = (application: RequestListener) => application): Promise<RunningServer> {
  const { commands, log } = service;
  const { logger } = captureLog();
  const keys = createKeyStore(log);
  const routes = createCommandRoutes({ commands, log, pool: service.database.pool, keys, logger });
  const authenticate = authenticateWith(keys);
  const application = createApplication({ routes, authenticate, logger, title: 'Test', version: '1' });
  return startServer(around(application as RequestListener), { host: '127.0.0.1', port });
}

test('while the service is away each try fails, and when it is back they work again', async () => {
  const { url, port, stop } = await instance();
  const commands = createHttpCommands({ urls: [url], key: (await service.key('service')).key });
  expect((await register(commands, newId())).revision).toBe(0);
  await stop(0);
  const id = newId();
  for (let time = 0; time < 2; time++)
    expect(await outcomeOf(register(commands, id))).toEqual({ failed: expect.stringContaining('ECONNREFUSED') });
  const again = await instance(port);
  expect((await register(commands, id)).revision).toBe(0);
  await again.stop(0);
});

test('a command whose answer was lost takes effect once, and is answered all the same', async () => {
  let lost = 0;
  const { url, stop } = await instance(0, (application) => (request, response) => {
    if (lost++ === 0) response.end = () => (request.socket.destroy(), response);
    application(request, response);
  });
  const commands = createHttpCommands({ urls: [url], key: (await service.key('service')).key });
  const id = newId();
  expect((await register(commands, id)).revision).toBe(0);
  expect(lost).toBe(2);
  expect(await eventsOf(service.log, `agent-${id}`)).toHaveLength(1);
  await stop(0);
});

test('under a wrong key, or one of another role, nothing is refused for good, and the remedy is told', async () => {
  const under = (key: string) => createHttpCommands({ urls: [service.client.url], key });
  const before = await service.log.head();
  expect(await outcomeOf(register(under(newApiKey(newId()).key), newId()))).toEqual({
    failed: expect.stringMatching(/does not know the service key \(401\).*SERVICE_KEY_FILE/),
  });
  expect(await service.log.head()).toBe(before);
  const { key } = await service.key('admin');
  expect(await outcomeOf(register(under(key), newId()))).toEqual({
    failed: expect.stringMatching(/wants a key of role service \(403\).*SERVICE_KEY_FILE/),
  });
});
