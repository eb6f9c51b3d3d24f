import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient, type Answer } from '@workledger/shared/client/client.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemFolder, type SystemFolder } from '../testing/processes/folder.ts';
import { until, untilTrue } from '../testing/processes/until.ts';
import {
  createShellRepository,
  scriptAgent,
  shellRegistration,
  writeRightGreet,
} from '../testing/repository/shell-repository.ts';
import { runGuide } from '../testing/system/guide.ts';
import { startInFolder, type RunningSystem } from '../testing/system/in-folder.ts';
import { deliver, labeledIssue, REPOSITORY, SECRET, SENDER } from '../testing/system/github.ts';
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
  heartbeatSeconds: 3_600,
  webhooks: { github: { secrets: [{ file: 'webhook-secret' }] } },
  repositories: [
    {
      ...{ ...shellRegistration, url: join(folder.path, 'greeter') },
      ...{ github: REPOSITORY, trusted: [SENDER], capabilities: ['nobody'] },
      evaluate: ['sh', '-c', 'echo "{\\"bytes\\":$(wc -c < bin/greet)}"'],
      evolve: { metric: 'bytes', direction: 'minimize', candidates: 1, generations: 1, measurements: 2 },
    },
  ],
  agents: [scriptAgent('code', patient())],
  rules: [{ name: 'other', provider: 'github', label: 'other' }],
  flags: [{ name: 'evolution', percentage: 0 }],
});

beforeAll(async () => {
  folder = await systemFolder();
  createShellRepository(join(folder.path, 'greeter'));
  mkdirSync(join(folder.path, 'shared'));
  writeFileSync(join(folder.path, 'webhook-secret'), SECRET);
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

/** What a task's run noted of the configuration as it was claimed, and how often its work evolved. */
async function went(id: string): Promise<unknown[]> {
  const log = await system.client.log();
  const claimed = log.find(({ type, stream }) => type === 'TaskClaimed' && stream === `task-${id}`);
  const { configuration, leaseSeconds } = claimed?.data as Record<string, unknown>;
  const isOwn = (data: unknown): boolean => (data as { taskId?: string }).taskId === id;
  const evolved = log.filter(({ type, data }) => type === 'EvolutionStarted' && isOwn(data));
  return [configuration, leaseSeconds, evolved.length];
}

test('tests, a limit and a flag are changed while work is running: that goes by what it began with, what begins later by the change', async () => {
  const first = await createTask(system.client, 'greeter', { title: 'Greet the world' });
  await untilTrue(() => Promise.resolve(isThere('began')), 30);
  const changes = [
    { path: '/repositories/greeter/test', value: telling() },
    { path: '/limits/leaseSeconds', value: 90 },
    { path: '/flags/evolution', value: { percentage: 100, match: [{ field: 'repository', in: ['greeter'] }] } },
  ];
  // Nothing was ever set: that has a tag of its own, so that of two first changes one is made.
  const { headers } = await system.client.expect2xx('GET', PRODUCTION);
  expect(headers.get('ETag')).toBe('"-1"');
  const guarded = { headers: { 'If-Match': '"-1"' }, body: { changes, reason: 'a test asks for it' } };
  expect(await system.client.send('PATCH', PRODUCTION, guarded)).toMatchObject({ status: 200, body: { revision: 0 } });
  const late = { ...guarded, body: { changes: [{ path: '/limits/leaseSeconds', value: 80 }], reason: 'late' } };
  expect((await system.client.send('PATCH', PRODUCTION, late)).status).toBe(412);
  expect(await health()).toEqual({ environment: 'production', revision: 0 });
  writeFileSync(join(folder.path, 'shared', 'go'), '');

  const done = await finalTask(system.client, first);
  expect(done).toMatchObject({ state: 'complete', failure: null });
  expect([await went(first), isThere('changed')]).toEqual([[-1, 60, 0], false]);

  const second = await createTask(system.client, 'greeter', { title: 'Greet the world again' });
  const later = await finalTask(system.client, second);
  expect(later).toMatchObject({ state: 'complete', failure: null });
  expect([await went(second), isThere('changed')]).toEqual([[0, 90, 1], true]);
}, 90_000);

test('a rule that is set says what the next delivery leads to, and a heartbeat which agent is silent', async () => {
  expect((await deliver(system.client, labeledIssue(1))).body['taskId']).toBeUndefined();
  const { id } = await system.client.expect2xx('POST', '/agents', {
    body: { name: 'silent', capabilities: ['silence'] },
  });
  const rule = [
    { path: '/rules/now', value: { provider: 'github', label: 'workledger', priority: 1 } },
    { path: '/limits/heartbeatSeconds', value: 1 },
  ];
  expect((await revise(rule)).status).toBe(200);
  const { taskId } = (await deliver(system.client, labeledIssue(2))).body;
  const routed = await until('the task', () => system.client.find(`/tasks/${String(taskId)}`));
  expect(routed).toMatchObject({ state: 'pending', priority: 1 });
  await untilTrue(
    async () => (await system.client.find<{ status: string }>(`/agents/${id}`))?.status === 'disconnected',
  );
  expect((await revise(rule.map(({ path }) => ({ path })))).status).toBe(200);
  expect((await deliver(system.client, labeledIssue(3))).body['taskId']).toBeUndefined();
}, 90_000);

test('what was changed is there after kill -9, with what the file says beside it, and is rolled back', async () => {
  system.program.signal('SIGKILL');
  await system.program.ended;
  system = await startInFolder(folder.path, configuration());
  expect(await health()).toEqual({ environment: 'production', revision: 2 });
  expect(await shown('/repositories/greeter/test')).toEqual({
    ...{ path: '/repositories/greeter/test', origin: 'api', revision: 0 },
    ...{ value: telling(), file: ['sh', 'checks/run'] },
  });
  const back = await system.client.send('POST', '/configuration/rollback', {
    body: { environment: 'production', to: -1, reason: 'it tells too much' },
  });
  expect(back).toMatchObject({ status: 200, body: { revision: 3 } });
  expect(await shown('/repositories/greeter/test', back.token)).toMatchObject({
    origin: 'file',
    value: ['sh', 'checks/run'],
  });
  rmSync(join(folder.path, 'shared', 'changed'));
  const third = await createTask(system.client, 'greeter', { title: 'Greet the world once more' });
  expect(await finalTask(system.client, third)).toMatchObject({ state: 'complete', failure: null });
  expect([await went(third), isThere('changed')]).toEqual([[3, 60, 0], false]);
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
