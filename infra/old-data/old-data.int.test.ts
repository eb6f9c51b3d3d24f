import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { chown, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient, type Client } from '@workledger/shared/client/client.ts';
import {
  createGithubSide,
  deliver,
  REPOSITORY,
  SENDER,
  type Delivery,
  type GithubSide,
} from '../testing/system/github.ts';
import { embeddedPostgres } from '../testing/servers/own-servers.ts';
import { killAndWait } from '../testing/processes/processes.ts';
import { startService, type Service } from '../testing/system/service.ts';
import { removeFolder, temporaryFolder } from '../testing/processes/folder.ts';
import { until } from '../testing/processes/until.ts';
import { createWorkshop, type Workshop } from '../testing/repository/workshop.ts';
import { serverUser } from '../local/postgres/server-user.ts';

type Receipt = Readonly<Record<string, unknown>>;
type Row = { readonly id: string; readonly state: string; readonly revision: number };

/** What was there when the data was packed, and what was answered then. */
type Facts = {
  readonly events: number;
  /** Last revision of each stream. */
  readonly streams: Readonly<Record<string, number>>;
  readonly running: { readonly taskId: string; readonly delivery: Delivery };
  readonly agent: { readonly id: string; readonly receipt: Receipt };
  readonly claim: { readonly taskId: string; readonly receipt: Receipt };
  readonly waiting: { readonly receipt: Receipt };
  readonly keys: { readonly viewer: string; readonly revoked: string };
  readonly tasks: { readonly items: readonly Row[] };
};

const packed = (await readdir(import.meta.dirname, { withFileTypes: true })).filter((entry) => entry.isDirectory());

describe.each(packed.map(({ name }) => name))('data of an earlier version: %s', (name) => {
  let folder: string;
  let facts: Facts;
  let service: Service;
  let client: Client;
  let workshop: Workshop;
  let github: GithubSide;
  let told = '';

  beforeAll(async () => {
    folder = await temporaryFolder('old-data');
    await unpack(join(import.meta.dirname, name, 'data.tar.br'), folder);
    facts = JSON.parse(await readFile(join(import.meta.dirname, name, 'facts.json'), 'utf8')) as Facts;
    workshop = await createWorkshop();
    github = await createGithubSide();
    const configuration = join(folder, 'workledger.json');
    await writeFile(configuration, JSON.stringify(settings()));
    service = await startService('infra/local/start.ts', ['--config', configuration], (text) => (told += text));
    const key = async (): Promise<string> => (await readFile(join(folder, 'data', 'admin-key'), 'utf8')).trim();
    client = createClient({ url: () => service.url, key });
  }, 120_000);
  afterAll(async () => {
    await service?.stop();
    await killAndWait(await embeddedPostgres(join(folder, 'data', 'postgres')).processes());
    await workshop.dispose();
    await github.dispose();
    await removeFolder(folder);
  });

  const settings = () => ({
    ...github.settings,
    sandbox: workshop.settings.sandbox,
    ...{ logLevel: 'warn', port: 0, dataFolder: 'data', heartbeatSeconds: 3_600, leaseSeconds: 3_600 },
    repositories: workshop.settings.repositories?.map((repository) => ({
      ...repository,
      url: join(folder, 'sample.git'),
      ...{ github: REPOSITORY, trusted: [SENDER], capabilities: ['code'] },
    })),
    agents: workshop.settings.agents?.map((agent) => ({ ...agent, capabilities: ['code'] })),
  });

  it('is there, event by event', async () => {
    const revisions = new Map<string, number>();
    for (const { stream, revision } of (await client.log()).slice(0, facts.events)) revisions.set(stream, revision);
    expect(Object.fromEntries(revisions)).toEqual(facts.streams);
  });

  it('goes on: the work that was interrupted is done and merged', async () => {
    const { taskId } = facts.running;
    await until('the interrupted task', async () => {
      const { body } = await client.expect2xx('GET', `/tasks/${taskId}`);
      return body['state'] === 'complete' || body['state'] === 'failed';
    });
    expect((await client.stream(`task-${taskId}`)).map(({ type }) => type).slice(-2)).toEqual([
      'TaskWorkSubmitted',
      'TaskCompleted',
    ]);
    const merged = execFileSync('git', ['-C', join(folder, 'sample.git'), 'show', 'main:work.json'], {
      encoding: 'utf8',
    });
    expect(JSON.parse(merged)).toMatchObject({ valid: true });
  });

  it('reads as before, but for what went on', async () => {
    const { items } = (await client.expect2xx('GET', '/tasks?limit=100')).body as { items: readonly Row[] };
    const still = (rows: readonly Row[]): readonly Row[] => rows.filter(({ id }) => id !== facts.running.taskId);
    expect(still(items)).toEqual(still(facts.tasks.items).map((row) => expect.objectContaining(row) as Row));
  });

  it('answers the same to the same: a creation, a registration, a claim, a delivery', async () => {
    const again = async (path: string, body: object, idempotencyKey: string): Promise<unknown> =>
      (await client.expect2xx('POST', path, { body, idempotencyKey })).body;
    const { agent, claim, waiting, running } = facts;
    expect(await again('/tasks', { title: 'waiting', capabilities: ['nobody'] }, 'task-of-old')).toEqual(
      waiting.receipt,
    );
    const registration = { name: 'remote', capabilities: ['remote'], capacity: 3 };
    expect(await again('/agents', registration, 'agent-of-old')).toEqual(agent.receipt);
    expect(await again(`/agents/${agent.id}/claims`, {}, 'claim-of-old')).toEqual(claim.receipt);
    const replayed = await deliver(client, running.delivery);
    expect([replayed.status, replayed.body['taskId']]).toEqual([200, running.taskId]);
  });

  it('keeps its claims and its keys', async () => {
    const { taskId, receipt } = facts.claim;
    await client.expect2xx('POST', `/tasks/${taskId}/renew`, { body: { claimId: receipt['claimId'] } });
    const asked = async (key: string): Promise<number> => (await client.send('GET', '/tasks', { key })).status;
    expect([await asked(facts.keys.viewer), await asked(facts.keys.revoked)]).toEqual([200, 401]);
  });

  it('alarms nobody', () => {
    expect(told).not.toMatch(/"level":"error"/);
  });
});

/** Unpacks a tar; what PostgreSQL's own user must own becomes its. */
async function unpack(file: string, folder: string): Promise<void> {
  const tar = spawn('tar', ['-C', folder, '-xf', '-'], { stdio: ['pipe', 'inherit', 'inherit'] });
  const ended = once(tar, 'exit');
  // Tar ends where its archive ends: what fills its last block may find nobody who reads. What is cut short it tells by its exit code.
  await pipeline(createReadStream(file), createBrotliDecompress(), tar.stdin).catch(() => undefined);
  expect(await ended).toEqual([0, null]);
  const user = await serverUser();
  if (user === null) return;
  const cluster = join(folder, 'data', 'postgres', 'cluster');
  const entries = await readdir(cluster, { recursive: true });
  for (const entry of ['.', ...entries]) await chown(join(cluster, entry), user.uid, user.gid);
}
