import { commands as catalogue } from '@workledger/shared/commands/catalogue.ts';
import { SERVICE_COMMANDS_PATH } from '@workledger/shared/commands/wire.ts';
import type { Role } from '@workledger/shared/contexts/agent/key/events.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { problemCode } from '@workledger/infra/testing/servers/application.ts';
import { createKeyStore } from '@workledger/shared/security/key-store.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { create } from '../processes/testing.ts';
import { createCommandRoutes } from './command-routes.ts';
import { serviceCommands } from './may-send.ts';
import { expectNothing, startService, type Service } from './testing/service.ts';

let service: Service;
let key: string;
let keyId: string;
beforeAll(async () => {
  service = await startService();
  ({ key, id: keyId } = await service.key('service'));
});
afterAll(() => service.close());

const post = (json: unknown, headers: Record<string, string> = {}) =>
  service.client.ask('POST', SERVICE_COMMANDS_PATH, { key, json, headers });
const saga = `saga:saga-task-assignment-${newId()}`;
const wish = (command: object = {}, context: object = {}) => ({
  command: { type: 'task.cancel', target: newId(), data: { reason: 'closed' }, ...command },
  context: { actor: saga, correlationId: newId(), ...context },
});

test('it answers what the handlers answer, whole', async () => {
  const target = await create(service);
  const told = await post(wish({ target }));
  const stream = `task-${target}`;
  expect([told.status, told.body]).toEqual([
    200,
    { id: target, stream, revision: 1, token: expect.stringContaining(`${stream}@1`) as string, details: {} },
  ]);
  expect(told.headers.get('cache-control')).toBe('no-store');
});

test('a refusal of the command is told from other problems by its header', async () => {
  const refused = await expectNothing(service, () => post(wish()), 404, 'not-found');
  expect(refused.headers.get('workledger-refusal')).toBe('not-found');
  const forbidden = await expectNothing(service, () => post(wish({ type: 'agent.beat' })), 403, 'forbidden');
  expect(forbidden.headers.get('workledger-refusal')).toBe('forbidden');
  const wrong = await expectNothing(service, () => post(wish({}, { actor: 'x' })), 400, 'invalid-request');
  expect(wrong.headers.get('workledger-refusal')).toBeNull();
});

describe('nobody else can be spoken for', () => {
  test.each([
    'system',
    `key:${newId()}`,
    `agent:${newId().toUpperCase()}`,
    'agent:one',
    `saga:task-${newId()}`,
    `saga:saga-task-assignment-${newId()}\n`,
    `saga:${'saga-'.repeat(100)}${newId()}`,
    '',
  ])('not for "%s"', async (actor) => {
    await expectNothing(service, () => post(wish({}, { actor })), 400, 'invalid-request');
  });

  test('a saga sends nothing that is for agents, an agent nothing that is for sagas', async () => {
    const agentId = newId();
    const agent = `agent:${agentId}`;
    const beat = { type: 'agent.beat', target: agentId, data: {} };
    await expectNothing(service, () => post(wish(beat)), 403, 'forbidden');
    await expectNothing(service, () => post(wish({}, { actor: agent })), 403, 'forbidden');
    await expectNothing(service, () => post(wish({ ...beat, target: newId() }, { actor: agent })), 403, 'forbidden');
  });
});

test('what neither sagas nor agents of the system send is no command here', async () => {
  const others = Object.keys(catalogue).filter((type) => !(serviceCommands as readonly string[]).includes(type));
  expect(others).toEqual(expect.arrayContaining(['key.create', 'key.revoke', 'delivery.receive', 'task.create']));
  for (const type of [...others, 'task.explode', '__proto__'])
    await expectNothing(service, () => post(wish({ type })), 400, 'invalid-request');
});

test.each([
  ['an unknown field', { ...wish(), more: 1 }],
  ['an unknown field of the command', wish({ kind: 'command' })],
  ['an unknown field of the context', wish({}, { firstTime: true })],
  ['a hash of the own choice', wish({}, { commandHash: 'a'.repeat(64) })],
  ['no context', { command: wish().command }],
  ['a command id that is none', wish({}, { commandId: '1' })],
  ['a revision that is none', wish({}, { expectedRevision: -1 })],
  ['a conversation that does not fit a header', wish({}, { correlationId: 'a\nb' })],
  ['an overlong conversation', wish({}, { correlationId: 'a'.repeat(201) })],
])('refused: %s', async (_, json) => {
  await expectNothing(service, () => post(json), 400, 'invalid-request');
});

describe('a key of role service', () => {
  test('is the only one that opens it', async () => {
    const agentId = newId();
    for (const role of ['viewer', 'agent', 'operator', 'auditor', 'admin'] satisfies Role[]) {
      const other = (await service.key(role, role === 'agent' ? agentId : undefined)).key;
      const ask = () => service.client.ask('POST', SERVICE_COMMANDS_PATH, { key: other, json: wish() });
      const told = await expectNothing(service, ask, 403, 'forbidden');
      expect(told.headers.get('workledger-refusal')).toBeNull();
    }
  });

  test('opens nothing else', async () => {
    const { commands, log } = service;
    const routes = createCommandRoutes({
      commands,
      log,
      pool: service.database.pool,
      keys: createKeyStore(log),
      logger: captureLog().logger,
    });
    for (const { method, path } of routes.filter((route) => route.path !== SERVICE_COMMANDS_PATH)) {
      const place = path.replaceAll(/\{\w+\}/g, () => newId());
      const told = await service.client.ask(method.toUpperCase(), place, { key, json: {} });
      expect([method, path, told.status, problemCode(told)]).toEqual([method, path, 403, 'forbidden']);
    }
  });

  test('can be made by an administrator, and is refused when it is revoked', async () => {
    const admin = (await service.key('admin')).key;
    const made = await service.client.ask('POST', '/api/v1/keys', { key: admin, json: { name: 's', role: 'service' } });
    const send = () =>
      service.client.ask('POST', SERVICE_COMMANDS_PATH, { key: String(made.body['key']), json: wish() });
    expect((await send()).status).toBe(404);
    await service.client.ask('DELETE', `/api/v1/keys/${String(made.body['id'])}`, { key: admin });
    expect((await send()).status).toBe(401);
  });
});

test('the log says which key sent what, in whose name, and how it ended, and not the key itself', async () => {
  const sent = wish({ target: await create(service) }, { commandId: newId() });
  for (const wanted of [sent, wish({ type: 'agent.beat' }, { correlationId: 'refused-one' })]) await post(wanted);
  const lines = service
    .logged()
    .split('\n')
    .filter((line) => line.includes('command of a service'))
    .map((line) => JSON.parse(line) as object);
  const { commandId, correlationId } = sent.context as Record<string, unknown>;
  const common = { actor: `key:${keyId}`, onBehalfOf: saga };
  expect(lines.slice(-2)).toMatchObject([
    { ...common, command: 'task.cancel', target: sent.command.target, commandId, correlationId, revision: 1 },
    { ...common, command: 'agent.beat', correlationId: 'refused-one', refused: 'forbidden' },
  ]);
  expect(service.logged()).not.toContain(key.slice(-43));
});
