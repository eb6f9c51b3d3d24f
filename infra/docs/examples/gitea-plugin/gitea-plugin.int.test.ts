import { createHmac, randomUUID } from 'node:crypto';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Answer } from '@workledger/shared/client/client.ts';
import { systemFolder, type SystemFolder } from '../../../testing/processes/folder.ts';
import { startProgram } from '../../../testing/processes/program.ts';
import { until, untilTrue } from '../../../testing/processes/until.ts';
import { createBareOrigin } from '../../../testing/repository/git.ts';
import {
  createShellRepository,
  scriptAgent,
  shellRegistration,
  writeRightGreet,
} from '../../../testing/repository/shell-repository.ts';
import { startInFolder, type RunningSystem } from '../../../testing/system/in-folder.ts';
import { finalTask } from '../../../testing/system/tasks.ts';

const [SECRET, TOKEN] = ['a secret of Gitea', 'a token of Gitea'];

/** As far as the plugin asks it: comments of an issue, below a path of its own. It counts what it was asked. */
async function startFakeGitea() {
  const comments: { id: number; body: string }[] = [];
  const calls: string[] = [];
  const strangers: string[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (part: Buffer) => (text += part.toString()));
    request.on('end', () => {
      const answer = (status: number, body: unknown): void =>
        void response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
      if (request.headers.authorization !== `token ${TOKEN}`) strangers.push(request.url ?? '');
      const [path = ''] = (request.url ?? '').split('?');
      calls.push(`${request.method} ${path}`);
      if (!path.startsWith('/git/api/v1/')) return answer(404, { message: 'not found' });
      const { body = '' } = text === '' ? {} : (JSON.parse(text) as { body?: string });
      if (request.method === 'GET') return answer(200, comments);
      const known = comments.find(({ id }) => path.endsWith(`/issues/comments/${id}`));
      if (request.method === 'PATCH' && known) return answer(200, Object.assign(known, { body }));
      if (request.method !== 'POST') return answer(404, { message: 'not found' });
      const made = { id: comments.length + 1, body };
      comments.push(made);
      return answer(201, made);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { host, url: `http://${host}`, comments, calls, strangers, close: () => server.close() };
}

/** One whose parts fail, and one that speaks into every answer. */
const ODD = `import { appendFileSync } from 'node:fs';
export default () => ({
  handlers: { stumble: { types: ['TaskCreated'], handle: async () => { throw new Error('always'); } } },
  middleware: {
    mark: { whenFailing: 'go-on', before: ({ path, headers }) => path.endsWith('/teams') ? { refuse: 'not today' }
      : { headers: { 'X-Marked': headers.authorization === undefined ? 'unseen' : 'seen', 'Content-Type': 'text/html' } } },
    broken: { whenFailing: 'go-on', before: () => { throw new Error('always'); } },
    strict: { whenFailing: 'refuse', before: ({ path }) => { if (path.endsWith('/issues')) throw new Error('always'); } },
    listen: { whenFailing: 'go-on', after: ({ method, path, status, headers, milliseconds }) => {
      appendFileSync(new URL('heard', import.meta.url), [method, path, status, headers.authorization, milliseconds >= 0].join(' ') + '\\n');
      if (path.endsWith('/costs')) throw new Error('always');
    } },
  },
});`;

let folder: SystemFolder;
let gitea: Awaited<ReturnType<typeof startFakeGitea>>;
let system: RunningSystem;
let configuration: Record<string, unknown>;

beforeAll(async () => {
  folder = await systemFolder();
  const path = (name: string): string => join(folder.path, name);
  createShellRepository(path('person'));
  gitea = await startFakeGitea();
  await writeFile(path('secret'), SECRET);
  await writeFile(path('token'), TOKEN);
  await cp(import.meta.dirname, path('gitea-plugin'), { recursive: true });
  await mkdir(path('odd'));
  await writeFile(path('odd/plugin.mjs'), ODD);
  await writeFile(
    path('odd/workledger-plugin.json'),
    JSON.stringify({
      ...{ name: 'odd', version: '0.1.0', interface: 1, description: 'Stumbles', main: 'plugin.mjs' },
      provides: { handlers: ['stumble'], middleware: ['mark', 'broken', 'strict', 'listen'] },
    }),
  );
  configuration = {
    outbound: { privateHosts: [gitea.host, '127.0.0.1:1'] },
    embeddings: { url: 'http://127.0.0.1:1/v1', model: 'none', dimensions: 8 },
    models: [{ ...{ name: 'away', url: 'http://127.0.0.1:1/v1', model: 'none' }, inputUsd: 0, outputUsd: 0 }],
    repositories: [
      {
        ...{ ...shellRegistration, url: createBareOrigin(path('person')), merge: 'fast-forward' },
        ...{ trusted: ['gitea:ada'], capabilities: ['greeting'] },
      },
    ],
    agents: [scriptAgent('greeting', writeRightGreet)],
    plugins: [
      {
        ...{ from: './gitea-plugin', configuration: { url: `${gitea.url}/git/` } },
        secrets: { webhook: [{ file: 'secret' }], token: [{ file: 'token' }] },
        repositories: { [shellRegistration.name]: 'acme/shop' },
        rules: [{ name: 'gitea-label', label: 'workledger', priority: 2 }],
      },
      { from: './odd' },
    ],
  };
  system = await startInFolder(folder.path, configuration);
}, 60_000);
afterAll(async () => {
  gitea.close();
  await folder.remove();
});

function deliver(number: number, sender = 'ada', secret = SECRET): Promise<Answer> {
  const body = JSON.stringify({
    ...{ action: 'label_updated', number, repository: { full_name: 'acme/shop' }, sender: { login: sender } },
    issue: {
      ...{ number, title: 'Greet the world', body: 'please', state: 'open', user: { login: 'ada' } },
      ...{ html_url: `${gitea.url}/acme/shop/issues/${number}`, labels: [{ id: 1, name: 'workledger' }] },
    },
  });
  const headers = {
    'Content-Type': 'application/json',
    'X-Gitea-Event': 'issues',
    'X-Gitea-Delivery': randomUUID(),
    'X-Gitea-Signature': createHmac('sha256', secret).update(body).digest('hex'),
  };
  return system.client.send('POST', '/webhooks/gitea', { body, headers, key: null });
}

const told = (taskId: string): string[] =>
  gitea.comments.map(({ body }) => body).filter((body) => body.includes(`<!-- workledger ${taskId} -->`));

test('an issue of Gitea becomes work, and has one comment that is kept up to date, over kill -9', async () => {
  expect((await deliver(1, 'mallory')).body).toMatchObject({ reason: expect.stringMatching(/not trusted/) });
  expect((await deliver(1, 'ada', 'another secret')).status).toBe(401);
  const { status, body } = await deliver(2);
  expect(status).toBe(202);
  const taskId = String(body['taskId']);
  await untilTrue(() => Promise.resolve(told(taskId).length > 0), 30);
  system.program.signal('SIGKILL');
  await system.program.ended;
  system = await startInFolder(folder.path, configuration);
  expect(await finalTask(system.client, taskId)).toMatchObject({
    state: 'complete',
    ...{ sourceKind: 'gitea', sourceReference: 'acme/shop#2' },
  });
  await untilTrue(() => Promise.resolve(told(taskId)[0]?.startsWith('Done: merged.') === true), 30);
  expect(told(taskId)).toHaveLength(1);
  expect(gitea.calls.filter((call) => call === 'POST /git/api/v1/repos/acme/shop/issues/2/comments')).toHaveLength(1);
  expect(gitea.strangers).toEqual([]);
});

test('what a plugin does wrong stays with it, and is shown', async () => {
  const answer = await fetch(`${system.url}/api/v1/tasks`, { headers: { Authorization: `Bearer ${system.key}` } });
  expect([answer.status, answer.headers.get('x-marked')]).toEqual([200, 'unseen']);
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
  const refused = await system.client.send('GET', '/teams');
  expect(refused).toMatchObject({ status: 403, body: { detail: 'not today' } });
  const health = await until('the failing parts', async () => {
    const shown = (await (await fetch(`${system.url}/health`)).json()) as {
      details: { plugins: Record<string, object> };
    };
    return JSON.stringify(shown).includes('middleware broken') && shown.details.plugins;
  });
  expect(health).toMatchObject({
    gitea: { version: '1.0.0', failing: {}, targets: { 'gitea server': { breaker: 'closed' } } },
    odd: { failing: { 'middleware broken': expect.stringMatching(/failing|resting/) } },
  });
  expect(JSON.stringify(health)).not.toContain('always');
});

test('a middleware that is asked for each request may say that nothing passes while it fails; other requests do', async () => {
  const { status, headers, body } = await system.client.send('GET', '/issues');
  expect([status, headers.get('retry-after')]).toEqual([503, '30']);
  expect(body).toMatchObject({ detail: 'the plugin "odd" that is asked first fails, and nothing passes without it' });
  expect(JSON.stringify(body)).not.toContain('always');
  expect((await system.client.send('GET', '/agents')).status).toBe(200);
});

test('a middleware hears of each answer that was sent, without the key; that it fails then changes no answer', async () => {
  const heard = () => readFile(join(folder.path, 'odd/heard'), 'utf8');
  expect((await system.client.send('GET', '/costs')).status).toBe(200);
  expect((await system.client.send('GET', '/teams')).status).toBe(403);
  expect((await system.client.send('GET', `/tasks/${randomUUID()}`)).status).toBe(404);
  for (const line of ['/costs 200 ', '/teams 403 ', '/issues 503 '])
    await untilTrue(async () => (await heard()).includes(`GET /api/v1${line} true\n`));
  await untilTrue(async () => /GET \/api\/v1\/tasks\/[-\w]+ 404 {2}true/.test(await heard()));
  expect(await heard()).not.toContain('/health');
});

test('how systems, models, plugins and components are is read by anybody with a key', async () => {
  const by = `:${system.program.pid}`;
  const items = await until('a look of this process', async () => {
    const { body } = await system.client.send('GET', '/components');
    const all = (body as { items: { name: string; process: string }[] }).items;
    return all.some(({ process }) => process.endsWith(by)) && all;
  });
  const seen = (name: string) => items.find((one) => one.name === name && one.process.endsWith(by));
  expect(seen('gitea')).toMatchObject({ kind: 'plugin', state: 'healthy', reason: null, isStale: false });
  expect(seen('gitea server')).toMatchObject({ kind: 'system', state: 'healthy' });
  expect(seen('model away')).toMatchObject({
    kind: 'model',
    state: 'unavailable',
    reason: expect.stringMatching(/no answer/),
  });
  for (const name of ['code.work', 'gitea.comment'])
    expect(seen(name)).toMatchObject({ kind: 'component', state: 'healthy' });
  expect(JSON.stringify(items)).not.toContain('127.0.0.1');
  const { details } = (await (await fetch(`${system.url}/health`)).json()) as { details: Record<string, unknown> };
  expect(details).toMatchObject({
    ...{ embeddings: { breaker: 'closed' }, embeddingsOfQuestions: { breaker: 'closed', lastFailureAt: null } },
    breakers: { 'gitea.comment': { closed: 1, open: 0, halfOpen: 0 } },
  });
});

test('npm start -- --plugins lists them', async () => {
  const program = startProgram('infra/local/start.ts', ['--plugins'], { cwd: folder.path });
  expect(await program.ended).toBe(0);
  expect(program.written.stdout).toMatch(
    /^gitea 1\.0\.0 {2}Issues of Gitea[^]*components: comment[^]*odd 0\.1\.0 {2}Stumbles/,
  );
});
