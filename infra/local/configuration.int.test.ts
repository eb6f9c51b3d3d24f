import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient, type Answer } from '@workledger/shared/client/client.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemFolder, type SystemFolder } from '../testing/processes/folder.ts';
import { untilTrue } from '../testing/processes/until.ts';
import {
  createShellRepository,
  scriptAgent,
  shellRegistration,
  writeRightGreet,
} from '../testing/repository/shell-repository.ts';
import { runGuide } from '../testing/system/guide.ts';
import { startInFolder, type RunningSystem } from '../testing/system/in-folder.ts';
import { createTask, finalTask } from '../testing/system/tasks.ts';

let folder: SystemFolder;
let system: RunningSystem;

/** Says that it began, and goes on when it may. */
const patient = (): string => {
  const file = (name: string): string => join(folder.path, 'shared', name);
  return `touch "${file('began')}"; until [ -e "${file('go')}" ]; do sleep 0.1; done\n${writeRightGreet}`;
};

const isThere = (name: string): boolean => existsSync(join(folder.path, 'shared', name));
/** The same test, which tells that it ran. */
const telling = () => ['sh', '-c', `touch "${join(folder.path, 'shared', 'changed')}"; sh checks/run`];

const configuration = () => ({
  sandbox: 'off',
  repositories: [{ ...shellRegistration, url: join(folder.path, 'greeter') }],
  agents: [scriptAgent('code', patient())],
});

beforeAll(async () => {
  folder = await systemFolder();
  createShellRepository(join(folder.path, 'greeter'));
  mkdirSync(join(folder.path, 'shared'));
  system = await startInFolder(folder.path, configuration());
}, 60_000);
afterAll(() => folder.remove());

const PRODUCTION = '/configuration/environments/production';
type Change = { readonly path: string; readonly value?: unknown };
const revise = (changes: readonly Change[], client = system.client): Promise<Answer> =>
  client.send('PATCH', PRODUCTION, { body: { changes, reason: 'a test asks for it' } });

type Shown = {
  readonly path: string;
  readonly value: unknown;
  readonly origin: string;
  readonly revision?: number;
  readonly file?: unknown;
};
const shown = async (path: string, token = ''): Promise<Shown | undefined> => {
  const { body } = await system.client.expect2xx('GET', `/configuration${token && `?token=${token}`}`);
  return (body['values'] as Shown[]).find((value) => value.path === path);
};
const health = async (): Promise<unknown> =>
  ((await (await fetch(`${system.url}/health`)).json()) as { details: { configuration: unknown } }).details
    .configuration;

test('a rule is changed while work is running: that goes by what it began with, what begins later by the change', async () => {
  const first = await createTask(system.client, 'greeter', { title: 'Greet the world' });
  await untilTrue(() => Promise.resolve(isThere('began')), 30);
  const changed = await revise([{ path: '/repositories/greeter/test', value: telling() }]);
  expect(changed).toMatchObject({ status: 200, body: { revision: 0 } });
  expect(await health()).toEqual({ environment: 'production', revision: 0 });
  writeFileSync(join(folder.path, 'shared', 'go'), '');

  const done = await finalTask(system.client, first);
  expect(done).toMatchObject({ state: 'complete', failure: null });
  const claimOf = (task: typeof done): unknown =>
    task.history.find(({ type }) => type === 'TaskClaimed')?.data['configuration'];
  expect([claimOf(done), isThere('changed')]).toEqual([-1, false]);

  const second = await createTask(system.client, 'greeter', { title: 'Greet the world again' });
  const later = await finalTask(system.client, second);
  expect(later).toMatchObject({ state: 'complete', failure: null });
  expect([claimOf(later), isThere('changed')]).toEqual([0, true]);
}, 90_000);

test('what was changed is there after kill -9, with what the file says beside it, and is rolled back', async () => {
  system.program.signal('SIGKILL');
  await system.program.ended;
  system = await startInFolder(folder.path, configuration());
  expect(await health()).toEqual({ environment: 'production', revision: 0 });
  expect(await shown('/repositories/greeter/test')).toEqual({
    ...{ path: '/repositories/greeter/test', origin: 'api', revision: 0 },
    ...{ value: telling(), file: ['sh', 'checks/run'] },
  });
  const back = await system.client.send('POST', '/configuration/rollback', {
    body: { environment: 'production', to: -1, reason: 'it tells too much' },
  });
  expect(back).toMatchObject({ status: 200, body: { revision: 1 } });
  expect(await shown('/repositories/greeter/test', back.token)).toMatchObject({
    origin: 'file',
    value: ['sh', 'checks/run'],
  });
  rmSync(join(folder.path, 'shared', 'changed'));
  const third = await createTask(system.client, 'greeter', { title: 'Greet the world once more' });
  expect(await finalTask(system.client, third)).toMatchObject({ state: 'complete', failure: null });
  expect(isThere('changed')).toBe(false);
}, 90_000);

test('repositories and agents come and go without a restart', async () => {
  createShellRepository(join(folder.path, 'other'));
  const agent = scriptAgent('second', writeRightGreet);
  const { name: _, ...other } = { ...shellRegistration, url: join(folder.path, 'other') };
  const { name: __, ...second } = agent;
  const added = [
    { path: '/repositories/other', value: other },
    { path: '/agents/second', value: second },
  ];
  expect((await revise(added)).status).toBe(200);
  const task = await createTask(system.client, 'other', { title: 'Greet the world', capabilities: ['second'] });
  expect(await finalTask(system.client, task)).toMatchObject({ state: 'complete', failure: null });
  expect((await revise(added.map(({ path }) => ({ path })))).status).toBe(200);
  const gone = await system.client.send('POST', '/tasks', { body: { title: 'Late', repository: 'other' } });
  expect(gone).toMatchObject({ status: 422, body: { type: expect.stringMatching(/unknown-repository$/) } });
}, 60_000);

test('what is invalid, secret or an administrator’s changes nothing', async () => {
  const { body } = await system.client.expect2xx('POST', '/keys', { body: { name: 'operator', role: 'operator' } });
  const operator = createClient({ url: () => system.url, key: () => String(body['key']) });
  const before = (await system.client.expect2xx('GET', PRODUCTION)).body['revision'];
  expect(await revise([{ path: '/repositories/greeter/test', value: ['true'] }], operator)).toMatchObject({
    ...{ status: 403, body: { facts: { paths: ['/repositories/greeter/test'] } } },
  });
  const faults = [{ path: '/repositories/greeter/merge', value: 'perhaps' }];
  expect(await revise(faults)).toMatchObject({
    status: 422,
    body: { errors: [{ path: '/repositories/greeter/merge' }] },
  });
  const secret = [{ path: '/repositories/greeter/variables', value: { API_TOKEN: 'abc' } }];
  expect(await revise(secret)).toMatchObject({
    status: 422,
    body: { errors: [{ path: '/repositories/greeter/variables/API_TOKEN' }] },
  });
  const stale = await system.client.send('PATCH', PRODUCTION, {
    ...{ headers: { 'If-Match': '"0"' } },
    body: { changes: [{ path: '/limits/leaseSeconds', value: 90 }], reason: 'r' },
  });
  expect(stale.status).toBe(412);
  expect((await system.client.expect2xx('GET', PRODUCTION)).body['revision']).toBe(before);
  expect(await revise([{ path: '/limits/leaseSeconds', value: 90 }], operator)).toMatchObject({ status: 200 });
}, 60_000);

test('the guide does what it says, by its own lines', async () => {
  const environment = { WORKLEDGER: system.url, KEY: system.key, REPOSITORY: 'greeter' };
  const { code, output } = await runGuide('configuration.md', { cwd: folder.path, environment });
  expect(code, output).toBe(0);
  const [health, value, reason, change, backTo, isOn, isOther] = output.trim().split('\n');
  expect([health, value, reason]).toEqual(['production', '80 api', 'shorter']);
  expect(JSON.parse(change!)).toMatchObject({ path: '/repositories/greeter/merge', value: 'squash' });
  expect(backTo).toMatch(/^\d+$/);
  expect([isOn, isOther]).toEqual(['true', 'false']);
  expect(await system.stop()).toBe(0);
}, 60_000);
