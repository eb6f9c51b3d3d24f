import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Answer } from '@workledger/shared/client/client.ts';
import { labelledDelivery, startFakeGitea } from '../../../testing/gitea/fake-gitea.ts';
import { installGiteaPlugin } from '../../../testing/gitea/install-plugin.ts';
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
import { createTask, finalTask } from '../../../testing/system/tasks.ts';

const SECRETS = { webhook: 'a secret of Gitea', token: 'a token of Gitea' };
/** By repository: who merges its work. */
const MERGES = {
  shop: { merge: 'fast-forward' },
  offered: { merge: 'never' },
  asked: { merge: 'fast-forward', approval: 'before-merge' },
};
const NAMES = Object.keys(MERGES);

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
  for (const name of NAMES) createShellRepository(path(name));
  const origins = Object.fromEntries(NAMES.map((name) => [`acme/${name}`, createBareOrigin(path(name))]));
  gitea = await startFakeGitea({ origins, token: SECRETS.token });
  const places = Object.fromEntries(NAMES.map((name) => [name, `acme/${name}`]));
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
    publicUrl: 'https://ledger.example',
    repositories: Object.entries(MERGES).map(([name, merge]) => ({
      ...{ ...shellRegistration, name, url: origins[`acme/${name}`], ...merge },
      ...{ trusted: ['gitea:ada'], capabilities: ['greeting'] },
    })),
    agents: [scriptAgent('greeting', writeRightGreet)],
    plugins: [
      await installGiteaPlugin(folder.path, { url: gitea.url, secrets: SECRETS, repositories: places }),
      { from: './odd' },
    ],
  };
  system = await startInFolder(folder.path, configuration);
}, 60_000);
afterAll(async () => {
  gitea.close();
  await folder.remove();
});

function deliver(name: string, number: number, sender = 'ada', secret = SECRETS.webhook): Promise<Answer> {
  const delivery = labelledDelivery({ name: `acme/${name}`, number, title: 'Greet the world' }, { sender, secret });
  return system.client.send('POST', '/webhooks/gitea', { ...delivery, key: null });
}

async function taskOf(name: string, number: number): Promise<string> {
  const { status, body } = await deliver(name, number);
  expect(status).toBe(202);
  return String(body['taskId']);
}

/** What Workledger tells at the issue, as soon as it begins so. */
const told = (name: string, number: number, beginning: string): Promise<string> =>
  until(`"${beginning}" at ${name}#${number}`, () => {
    const ours = gitea.comments(`acme/${name}`, number).filter((body) => body.includes('<!-- workledger '));
    expect(ours.length).toBeLessThan(2);
    return ours[0]?.startsWith(beginning) === true && ours[0];
  });

const counted = (name: string, what: string): number => gitea.count(what.replace('…', `/repos/acme/${name}`));

async function killAndStart(): Promise<void> {
  system.program.signal('SIGKILL');
  await system.program.ended;
  system = await startInFolder(folder.path, configuration);
}

test('an issue of Gitea becomes work, and has one comment that is kept up to date, over kill -9', async () => {
  expect((await deliver('shop', 1, 'mallory')).body).toMatchObject({ reason: expect.stringMatching(/not trusted/) });
  expect((await deliver('shop', 1, 'ada', 'another secret')).status).toBe(401);
  for (let each = 0; each < 60; each++) gitea.addComment('acme/shop', 2, 'Me, too!');
  const taskId = await taskOf('shop', 2);
  await told('shop', 2, '');
  await killAndStart();
  expect(await finalTask(system.client, taskId)).toMatchObject({
    state: 'complete',
    ...{ sourceKind: 'gitea', sourceReference: 'acme/shop#2' },
  });
  await told('shop', 2, 'Done: merged.');
  expect(counted('shop', 'POST …/issues/2/comments')).toBe(1);
  expect(gitea.pulls('acme/shop')).toEqual([]);
  expect(gitea.calls.filter(({ status }) => status === 401)).toEqual([]);
});

test('work that nobody merged is offered by one pull request, whose address its issue has, whatever dies', async () => {
  gitea.fail('POST /repos/acme/offered/pulls', { kind: 'hold-after' });
  const taskId = await taskOf('offered', 3);
  await until('the pull request to be made', () => gitea.isHolding());
  await killAndStart();
  const comment = await told('offered', 3, 'Done: http');
  gitea.release();
  const [pull, ...more] = gitea.pulls('acme/offered');
  expect([pull, more]).toMatchObject([{ title: 'Greet the world', base: 'trunk', state: 'open' }, []]);
  expect(pull?.head).toBe(`workledger/${taskId}`);
  expect(pull?.body).toMatch(
    /^Closes #3\.\n\nFiles that it changes: 1 \(\+1 −1\)\.\n\nTask: https:\/\/ledger\.example\//,
  );
  expect(comment).toContain(`/git/acme/offered/pulls/${pull?.number}.`);
  expect(counted('offered', 'POST …/pulls')).toBe(1);
  expect(counted('offered', 'POST …/issues/3/comments')).toBe(1);
});

test('where Gitea fails on the way all comes once; what it refuses for good is told at the issue', async () => {
  const failing = (call: string, kind: 'answer' | 'answer-after', status: number, message: string): void =>
    gitea.fail(call.replace('…', '/repos/acme/offered'), { kind, status, message });
  const [before, pulls] = [counted('offered', 'POST …/pulls'), gitea.pulls('acme/offered').length];
  failing('GET …/issues/4/comments', 'answer', 401, 'invalid username, password or token');
  failing('POST …/issues/4/comments', 'answer-after', 502, 'Bad Gateway');
  failing('GET …/pulls', 'answer', 500, 'a deadlock');
  failing('POST …/pulls', 'answer-after', 500, 'a timeout');
  await taskOf('offered', 4);
  await told('offered', 4, 'Done: http');
  expect(counted('offered', 'POST …/pulls') - before).toBe(1);
  expect(gitea.pulls('acme/offered')).toHaveLength(pulls + 1);
  expect(counted('offered', 'POST …/issues/4/comments')).toBe(1);

  failing('POST …/pulls', 'answer', 403, 'user should have write access');
  const refused = await taskOf('offered', 5);
  const words = `Done: on branch \`workledger/${refused}\` (no pull request: user should have write access).`;
  expect(await told('offered', 5, 'Done')).toContain(words);
  expect(counted('offered', 'POST …/pulls') - before).toBe(2);
});

test('a pull request that a person opened for the branch is the one, however many are newer', async () => {
  const id = await createTask(system.client, 'offered', { title: 'Greet', capabilities: ['greeting'] });
  const theirs = gitea.addPull('acme/offered', { title: 'Mine', body: '', head: `workledger/${id}`, base: 'trunk' });
  for (let each = 0; each < 1_000; each++)
    gitea.addPull('acme/offered', { title: 'Newer', body: '', head: `feature-${each}`, base: 'trunk' });
  const [posted, listed] = [counted('offered', 'POST …/pulls'), counted('offered', 'GET …/pulls')];
  await finalTask(system.client, id);
  await until('the one to be found', () => counted('offered', `GET …/pulls/${theirs.number}`) === 1);
  expect([counted('offered', 'POST …/pulls') - posted, counted('offered', 'GET …/pulls') - listed]).toEqual([1, 20]);
});

test('work that waits for an approval is offered; cancelled it is closed, and merged, too; a retry offers it anew', async () => {
  const taskId = await taskOf('asked', 6);
  const first = await told('asked', 6, 'The work is good, and waits for an approval: http');
  await system.client.expect2xx('POST', `/tasks/${taskId}/cancel`, { body: {} });
  await told('asked', 6, 'Cancelled: ');
  expect(gitea.pulls('acme/asked')).toMatchObject([{ state: 'closed', body: expect.stringMatching(/^Cancelled: /) }]);
  await system.client.expect2xx('POST', `/tasks/${taskId}/retry`, { body: {} });
  const second = await told('asked', 6, 'The work is good, and waits for an approval: http');
  expect(second.split('\n')[0]).not.toBe(first.split('\n')[0]);
  await system.client.expect2xx('POST', `/tasks/${taskId}/approve`, { body: {} });
  await told('asked', 6, 'Done: merged.');
  expect(gitea.pulls('acme/asked')).toMatchObject([
    { state: 'closed' },
    { state: 'closed', body: expect.stringMatching(/^Done: merged/) },
  ]);
  const calls = gitea.calls.flatMap(({ call }) =>
    /^(POST|PATCH).*asked\/pulls/.test(call) ? [call.split(' ')[0]] : [],
  );
  expect(calls).toEqual(['POST', 'PATCH', 'POST', 'PATCH']);
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
    gitea: { version: '1.1.0', failing: {}, targets: { 'gitea server': { breaker: 'closed' } } },
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
  type Item = { readonly name: string; readonly process: string; readonly state: string };
  let items: readonly Item[] = [];
  const seen = (name: string) => items.find((one) => one.name === name && one.process.endsWith(by));
  // A look comes now and then; the last one may have been while Gitea failed.
  await until('a look of this process', async () => {
    const { body } = await system.client.send('GET', '/components?limit=500');
    items = body['items'] as readonly Item[];
    return seen('gitea')?.state === 'healthy';
  });
  expect(seen('gitea')).toMatchObject({ kind: 'plugin', state: 'healthy', reason: null, isStale: false });
  expect(seen('gitea server')).toMatchObject({ kind: 'system', state: 'healthy' });
  expect(seen('model away')).toMatchObject({
    kind: 'model',
    state: 'unavailable',
    reason: expect.stringMatching(/no answer/),
  });
  for (const name of ['code.work', 'gitea.comment', 'gitea.pull-request'])
    expect(seen(name)).toMatchObject({ kind: 'component', state: 'healthy' });
  expect(JSON.stringify(items)).not.toContain('127.0.0.1');
  const { details } = (await (await fetch(`${system.url}/health`)).json()) as { details: Record<string, unknown> };
  expect(details).toMatchObject({
    ...{ embeddings: { breaker: 'closed' }, embeddingsOfQuestions: { breaker: 'closed', lastFailureAt: null } },
    breakers: { 'gitea.comment': { open: 0, halfOpen: 0 }, 'gitea.pull-request': { open: 0, halfOpen: 0 } },
  });
});

test('npm start -- --plugins lists them', async () => {
  const program = startProgram('infra/local/start.ts', ['--plugins'], { cwd: folder.path });
  expect(await program.ended).toBe(0);
  expect(program.written.stdout).toMatch(
    /^gitea 1\.1\.0 {2}Issues of Gitea[^]*components: comment, pull-request[^]*odd 0\.1\.0 {2}Stumbles/,
  );
});
