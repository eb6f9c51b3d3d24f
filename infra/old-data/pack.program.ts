import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliCompress, constants } from 'node:zlib';
import { removeFolder, temporaryFolder } from '../testing/processes/folder.ts';
import { until } from '../testing/processes/until.ts';
import { createWorkshop, type Workshop } from '../testing/repository/workshop.ts';
import { embedded } from '../testing/system/embedded.ts';
import type { RunningSystem } from '../testing/system/engine.ts';
import { createGithubSide, deliver, labeledIssue, REPOSITORY, SENDER } from '../testing/system/github.ts';
import { untilQuiet } from '../testing/system/logs.ts';
import { untilFinal } from '../testing/system/saga.ts';

// Packs what a killed system of this version leaves behind, as the next version will find it: `pack.program.ts <name>`, run on the
// version before a change of what is stored, named after the change.
const [name = ''] = process.argv.slice(2);
if (!/^[a-z-]+$/.test(name)) throw new Error('give the name: small letters and dashes');
const CALM_MILLISECONDS = 2_000;
const target = join(import.meta.dirname, name);

const github = await createGithubSide();
const workshop = await createWorkshop();
const { repositories = [], agents = [], sandbox } = workshop.settings;
const system = await embedded.start({
  ...github.settings,
  sandbox,
  repositories: repositories.map((repository) => ({
    ...repository,
    ...{ github: REPOSITORY, trusted: [SENDER], capabilities: ['code'] },
  })),
  agents: agents.map((agent) => ({ ...agent, capabilities: ['code'] })),
  ...{ heartbeatSeconds: 3_600, leaseSeconds: 3_600 },
});
const packing = await temporaryFolder('old-data');
try {
  const facts = await fill(system, workshop);
  await system.kill9('service', 'storage');
  for (const agent of await workshop.alive()) process.kill(agent, 'SIGKILL');
  await mkdir(target);
  await writeFile(join(target, 'facts.json'), `${JSON.stringify(facts, null, 2)}\n`);
  await cp(join(system.folder, 'data'), join(packing, 'data'), { recursive: true, verbatimSymlinks: true });
  await cp(workshop.origin, join(packing, 'sample.git'), { recursive: true });
  await rm(join(packing, 'sample.git', 'hooks'), { recursive: true, force: true });
  await pack(packing, join(target, 'data.tar.br'));
} finally {
  await removeFolder(packing);
  await system.dispose();
  await workshop.dispose();
  await github.dispose();
}
process.exit();

/** One task that is done, one that an agent is working on, a claim, and tasks, keys and an agent that wait. */
async function fill({ client, openLog }: RunningSystem, { hold, visits }: Workshop): Promise<object> {
  const post = (path: string, body: object, idempotencyKey?: string) =>
    client.expect2xx('POST', path, { body, ...(idempotencyKey !== undefined && { idempotencyKey }) });

  const first = await deliver(client, labeledIssue(1));
  await untilFinal(client, String(first.body['taskId']));
  await hold('generate-1-1');
  const before = await visits('generate-1-1');
  const delivery = labeledIssue(2);
  const taskId = String((await deliver(client, delivery)).body['taskId']);
  await until('the agent to begin', async () => (await visits('generate-1-1')) > before);

  const agent = await post('/agents', { name: 'remote', capabilities: ['remote'], capacity: 3 }, 'agent-of-old');
  const claimed = await post('/tasks', { title: 'claimed', capabilities: ['remote'] });
  await client.expect2xx('GET', '/tasks/next', { token: claimed.token });
  const claim = await post(`/agents/${agent.id}/claims`, {}, 'claim-of-old');

  const waiting = await post('/tasks', { title: 'waiting', capabilities: ['nobody'] }, 'task-of-old');
  await post('/tasks', { title: 'blocked', dependencies: [waiting.id], capabilities: ['nobody'] });
  const parent = await post('/tasks', { title: 'parent', capabilities: ['nobody'] });
  const subtasks = ['one', 'two'].map((title) => ({ title, capabilities: ['nobody'] }));
  const expanded = await post(`/tasks/${parent.id}/expand`, { subtasks });
  const viewer = await post('/keys', { name: 'viewer', role: 'viewer' });
  const revoked = await post('/keys', { name: 'revoked', role: 'viewer' });
  await client.expect2xx('DELETE', `/keys/${revoked.id}`, { body: {} });

  // What follows from the last command is part of what is noted.
  const whole = await openLog();
  await untilQuiet(whole, CALM_MILLISECONDS);
  await whole.close();
  const log = await client.log();
  const tasks = (await client.expect2xx('GET', '/tasks?limit=100', { token: expanded.token })).body;
  return {
    events: log.length,
    streams: Object.fromEntries(log.map(({ stream, revision }) => [stream, revision])),
    running: { taskId, delivery },
    agent: { id: agent.id, receipt: agent.body },
    claim: { taskId: claimed.id, receipt: claim.body },
    waiting: { receipt: waiting.body },
    keys: { viewer: viewer.body['key'], revoked: revoked.body['key'] },
    tasks,
  };
}

async function pack(folder: string, file: string): Promise<void> {
  const tar = spawn('tar', ['-C', folder, '-cf', '-', '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(tar, 'exit');
  const compress = createBrotliCompress({ params: { [constants.BROTLI_PARAM_LGWIN]: 24 } });
  await pipeline(tar.stdout, compress, createWriteStream(file));
  if ((await ended)[0] !== 0) throw new Error(`${folder}: tar could not pack it`);
}
