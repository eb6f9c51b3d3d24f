import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createClient, type Client } from '@workledger/shared/client/client.ts';
import { kafkaBrokers } from '../../testing/servers/kafka.ts';
import { GITEA, SHOP, startGiteaBesideDemo } from '../../testing/gitea/beside-demo.ts';
import { labelledDelivery, type FakeGitea } from '../../testing/gitea/fake-gitea.ts';
import { openToOthers, systemFolder, type SystemFolder } from '../../testing/processes/folder.ts';
import { noProcessesOf, processesOf } from '../../testing/processes/processes.ts';
import { startProgram, type Program } from '../../testing/processes/program.ts';
import { until } from '../../testing/processes/until.ts';
import { openSocket } from '../../testing/system/live.ts';
import { isFullLength } from '../../testing/system/storm.ts';

type Health = { status: string; dependencies: Record<string, string>; details?: Record<string, unknown> };

describe.skipIf(kafkaBrokers() === null)('npm run start:distributed -- --native', { timeout: 240_000 }, () => {
  let folder: SystemFolder;
  let data: string;
  let system: Program;
  const urls = new Map<string, string>();
  let gateway: string;
  let gitea: FakeGitea;
  const health = async (name: string): Promise<Health> =>
    (await fetch(`${urls.get(name)}/health`)).json() as Promise<Health>;
  const demo = (...args: string[]): Program =>
    startProgram('infra/local/demo/main.ts', ['--data', data, '--against', ...args], { cwd: folder.path });

  beforeAll(async () => {
    folder = await systemFolder();
    data = join(folder.path, 'the data');
    gitea = await startGiteaBesideDemo(folder.path, join(data, 'demo'));
    const options = ['--native', '--data', data, '--port', '0', '--scale', 'projections=2', '--scale', 'sagas=2'];
    system = startProgram('infra/local/distributed/start.ts', options, { cwd: folder.path });
    gateway = (await system.until(/Workledger is ready: (\S+)\n(.*\n)* {2}logs /))[1]!;
    for (const [, name, url] of system.written.stdout.matchAll(/^([a-z0-9-]+) +(http:\S+)$/gm)) urls.set(name!, url!);
  }, 240_000);
  afterAll(async () => {
    gitea.close();
    await folder.remove();
  });

  test('says where everything is, and what the log is kept in', () => {
    expect([...urls.keys()]).toEqual([
      'command-service',
      'query-service',
      'relay',
      'projections-1',
      'projections-2',
      'sagas-1',
      'sagas-2',
      'runner',
    ]);
    expect(system.written.stdout).toContain('Event log   in PostgreSQL, since EVENTSTOREDB_URL is not set');
  });

  test('every service tells its health by the names of what it depends on', async () => {
    expect((await health('command-service')).dependencies).toEqual({
      postgresql: 'up',
      'event-log': 'up',
      'read-models': 'up',
    });
    expect((await health('query-service')).dependencies).toEqual({
      postgresql: 'up',
      'event-log': 'up',
      'read-models': 'up',
    });
    for (const name of ['relay', 'projections-1', 'projections-2'])
      expect((await health(name)).dependencies).toEqual({ postgresql: 'up', 'event-log': 'up', kafka: 'up' });
    for (const name of ['sagas-1', 'sagas-2'])
      expect((await health(name)).dependencies).toEqual({
        postgresql: 'up',
        'event-log': 'up',
        kafka: 'up',
        'command-service': 'up',
        runner: 'up',
      });
    expect((await health('runner')).dependencies).toEqual({});
    expect((await health('relay')).details).toMatchObject({ role: 'leader' });
    expect((await fetch(`${gateway}/health`)).status).toBe(200);
  });

  const goesBy = async (name: string): Promise<unknown> => (await health(name)).details?.['configuration'];
  const set = { environment: 'production', revision: 0 };

  test('every reader of the configuration goes by what the API sets, and tells so', async () => {
    const changes = [{ path: '/limits/ageingSeconds', value: 1_800 }];
    const body = { changes, reason: 'a test asks for it' };
    const client = await admin();
    await client.expect2xx('PATCH', '/configuration/environments/production', { body });
    const readers = ['command-service', 'query-service', 'projections-1', 'projections-2', 'sagas-1', 'sagas-2'];
    const told = () => Promise.all(readers.map(goesBy));
    await vi.waitFor(async () => expect(await told()).toEqual(readers.map(() => set)), {
      timeout: 30_000,
      interval: 200,
    });
  });

  test('carries the main job through the gateway', async () => {
    const program = demo(gateway);
    expect(await program.ended, program.written.output).toBe(0);
    expect(program.written.stdout).toMatch(
      /webhook +accepted by rule "label"\n(.*\n)*.* evolve +keeps (.*\n)*.* task +complete, merged/,
    );
    expect(program.written.stdout).toContain('the merged code passes its tests in a fresh clone');
    // It knows no log: with each call it is told.
    expect(await goesBy('runner')).toEqual(set);
  });

  const admin = async (url = gateway): Promise<Client> => {
    const key = (await readFile(join(data, 'distributed', 'admin-key'), 'utf8')).trim();
    return createClient({ url: () => url, key: () => key });
  };

  test('refuses a commit that is not in the origin, though command-service has no git', async () => {
    const client = await admin();
    const { body: agent } = await client.expect2xx('POST', '/agents', { body: { name: 'far', capabilities: ['far'] } });
    const { body: registered } = await client.expect2xx('GET', '/tasks?limit=1');
    const { repository } = (registered['items'] as { repository: string }[])[0]!;
    const wanted = { title: 'Far away', repository, capabilities: ['far'] };
    const { id } = await client.expect2xx('POST', '/tasks', { body: wanted });
    const { body: claim } = await client.expect2xx('POST', `/tasks/${id}/claim`, { body: { agentId: agent['id'] } });
    const work = { claimId: claim['claimId'], commit: '1'.repeat(40) };
    const { status, body } = await client.send('POST', `/tasks/${id}/submit`, { body: work });
    expect([status, body['detail']]).toEqual([
      422,
      `commit ${work.commit} is not in the origin: push it to a branch first`,
    ]);
    await client.expect2xx('POST', `/tasks/${id}/cancel`, { body: {} });
  });

  test('carries what people and agents say: issues, messages, knowledge, users, and a line that stays open', async () => {
    const client = await admin();
    const post = (path: string, body: object, key?: string) =>
      client.expect2xx('POST', path, { body, ...(key !== undefined && { key }) });
    const [ann, bob] = await Promise.all(
      ['ann', 'bob'].map(async (name) => {
        const { id } = await post('/agents', { name, capabilities: ['finding'] });
        const made = await post('/keys', { name, role: 'agent', agentId: id });
        return { name: `agent:${id}`, key: String(made.body['key']) };
      }),
    );
    const line = await openSocket(gateway, bob!.key);
    line.say({ type: 'subscribe', feed: 'inbox' });
    await line.until({ type: 'subscribed' });

    const { id } = await post('/issues', { title: 'Search is slow', capabilities: ['finding'] });
    await post(`/issues/${id}/assign`, {});
    const offeredTo = (nobody: unknown): Promise<unknown> =>
      until('an offer of the issue', async () => {
        const who = (await client.find<{ offeredTo: string | null }>(`/issues/${id}`))?.offeredTo;
        return who !== nobody && who;
      });
    const first = await offeredTo(null);
    const [asked, next] = first === ann!.name ? [ann!, bob!] : [bob!, ann!];
    await post(`/issues/${id}/decline`, { reason: 'no time' }, asked.key);
    expect(await offeredTo(first)).toBe(next.name);
    const { token } = await post(`/issues/${id}/accept`, {}, next.key);
    const { body: issue } = await client.expect2xx('GET', `/issues/${id}`, { token });
    expect(issue).toMatchObject({ assignee: next.name, assignment: 'assigned' });

    await post('/messages', { to: { kind: 'participant', participant: bob!.name }, subject: 'look at it' }, ann!.key);
    expect(await line.until({ type: 'event' })).toMatchObject({
      feed: 'inbox',
      data: { subject: 'look at it', from: ann!.name },
    });
    const entry = { title: 'Indexes', content: 'A search needs an index.' };
    line.say({ type: 'command', id: 1, method: 'POST', path: '/api/v1/knowledge', body: entry });
    expect(await line.until({ type: 'answer' })).toMatchObject({ id: 1, status: 201 });
    line.close();
    const found = await until('the entry to be found', async () => {
      const { body } = await client.expect2xx('GET', '/knowledge?q=indexes', { key: bob!.key });
      return (body['items'] as { title: string; author: string }[])[0];
    });
    expect(found).toMatchObject({ title: 'Indexes', author: bob!.name });

    const user = await post('/users', { name: 'Cyd', role: 'operator', onboard: true });
    const isIn = async () => (await client.find<{ state: string }>(`/users/${user.id}`))?.state === 'active';
    await until('the user to be let in', isIn);
  });

  test('starts again whatever is killed, and all of it finds together', async () => {
    const victims = [
      'query-service/main.js',
      'relay/main.js',
      'sagas/main.js',
      'sagas/runner/main.js',
      'kafka.Kafka',
      'bin/postgres',
      'caddy',
    ];
    for (const { pid, command } of processesOf(folder.path))
      if (victims.some((victim) => command.includes(victim))) process.kill(pid, 'SIGKILL');
    for (const name of ['query-service', 'relay', 'sagas-1', 'sagas-2', 'runner'])
      await system.until(new RegExp(`^${name}: ended \\(SIGKILL\\), is started again`, 'm'));
    for (const name of ['PostgreSQL', 'Kafka', 'the gateway'])
      await system.until(new RegExp(`^${name} has ended \\(.*\\), is started again`, 'm'));
    const isWell = (url: string): Promise<boolean> =>
      fetch(`${url}/health`).then(
        ({ ok }) => ok,
        () => false,
      );
    for (const url of [gateway, ...urls.values()])
      await vi.waitUntil(() => isWell(url), { timeout: 120_000, interval: 200 });
  });

  test("answers at the services' own addresses, too, which go on together", async () => {
    const [write, read] = await Promise.all(['command-service', 'query-service'].map((name) => admin(urls.get(name))));
    const { id, token } = await write!.expect2xx('POST', '/tasks', { body: { title: 'Told by both' } });
    // Servers that were away a moment ago: the answer may be to ask again.
    const ask = async (): Promise<unknown> => (await read!.send('GET', `/tasks/${id}`, { token })).body;
    await vi.waitFor(async () => expect(await ask()).toMatchObject({ title: 'Told by both' }), { timeout: 60_000 });
  });

  // `npm run demo` shows the same embedded, and a promise undoes a run distributed.
  test.runIf(isFullLength)("undoes what fails, asked for at the services' own addresses", async () => {
    const program = demo(urls.get('query-service')!, '--against', urls.get('command-service')!, '--failing');
    expect(await program.ended, program.written.output).toBe(0);
    expect(program.written.stdout).toContain(
      'The work was sent back once, failed again, was undone, and the task says why.',
    );
  });

  test('runs a plugin in the services that it has parts for; what it does outside comes once, whatever dies', async () => {
    const client = await admin();
    for (const url of [gateway, urls.get('query-service')!, urls.get('command-service')!])
      expect((await fetch(`${url}/api/v1/tasks`)).headers.get('x-marked')).toBe('GET /api/v1/tasks');
    const [pulls, comments] = [`/repos/${SHOP}/pulls`, `/repos/${SHOP}/issues/9/comments`];
    const killSagas = async (): Promise<void> => {
      await until('Gitea to hold its answer', () => gitea.isHolding());
      for (const { pid, command } of processesOf(folder.path))
        if (command.includes('sagas/main.js')) process.kill(pid, 'SIGKILL');
      gitea.release();
    };
    gitea.fail(`POST ${comments}`, { kind: 'hold-after' });
    gitea.fail(`POST ${pulls}`, { kind: 'hold-after' });
    const issue = { name: SHOP, number: 9, title: 'Greet the world' };
    const delivery = labelledDelivery(issue, { sender: 'ada', secret: GITEA.webhook });
    const { status, body } = await client.send('POST', '/webhooks/gitea', { ...delivery, key: null });
    expect([status, body['reason'] ?? null]).toEqual([202, null]);
    await killSagas();
    await killSagas();
    const [told] = await until('the pull request to be told of', () => {
      const all = gitea.comments(SHOP, 9);
      return all[0]?.startsWith('Done: http') === true && all;
    });
    const [pull, ...more] = gitea.pulls(SHOP);
    expect(pull).toMatchObject({ head: `workledger/${String(body['taskId'])}`, base: 'trunk', state: 'open' });
    expect([told, more]).toEqual([expect.stringContaining(`${SHOP}/pulls/${pull?.number}.`), []]);
    expect([gitea.count(`POST ${pulls}`), gitea.count(`POST ${comments}`)]).toEqual([1, 1]);
    expect(gitea.comments(SHOP, 9)).toHaveLength(1);
    const plugins = { gitea: expect.objectContaining({ version: '1.1.0', failing: {} }) };
    for (const name of ['sagas-1', 'sagas-2']) {
      const seen = await until(`${name} to be there again`, () => health(name).catch(() => null));
      expect(seen.details).toMatchObject({ plugins });
    }
  });

  test("does not let sagas' commands in through the gateway", async () => {
    const key = (await readFile(join(data, 'distributed', 'service-key'), 'utf8')).trim();
    const answer = await fetch(`${gateway}/api/v1/service/commands`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
      body: '{}',
    });
    expect(answer.status).toBe(404);
  });

  test('prints no secret', async () => {
    const admin = (await readFile(join(data, 'distributed', 'admin-key'), 'utf8')).trim();
    const password = (await readFile(join(data, 'distributed', 'postgres', 'password'), 'utf8')).trim();
    const roles = JSON.parse(await readFile(join(data, 'distributed', 'postgres', 'role-passwords'), 'utf8')) as object;
    const secrets = [admin, password, ...(Object.values(roles) as string[])];
    expect(secrets).toHaveLength(7);
    const logs = await Promise.all(
      [...urls.keys()].map((name) => readFile(join(data, 'distributed', 'logs', `${name}.log`), 'utf8')),
    );
    secrets.push(...Object.values(GITEA));
    const shared = (await readFile(join(data, 'distributed', 'runner-key'), 'utf8')).trim();
    for (const text of [system.written.output, ...logs])
      expect([...secrets, shared].filter((secret) => text.includes(secret))).toEqual([]);
    // Nor an argument, which every user of the machine sees.
    for (const { command } of processesOf(folder.path))
      expect([...secrets, shared].filter((secret) => command.includes(secret))).toEqual([]);
  });

  test('stops in order at Ctrl-C, leaving no process', async () => {
    system.signal('SIGINT');
    expect(await system.ended, system.written.output).toBe(0);
    expect(system.written.stdout).toMatch(/SIGINT: stopping\n(.*\n)*stopped\n$/);
    await noProcessesOf(folder.path);
  });

  test('nobody else reads what it wrote', async () => {
    const { looked, open } = await openToOthers(join(data, 'distributed'));
    expect(looked).toBeGreaterThan(100);
    expect(open).toEqual([]);
  });
});
