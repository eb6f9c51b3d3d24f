import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deliveryStreamId, taskIdOfIssue } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startFakeGithub } from '../testing/github/fake-github.ts';
import type { FakeRepository } from '../testing/github/state.ts';
import { systemFolder, type SystemFolder } from '../testing/processes/folder.ts';
import { until, untilTrue } from '../testing/processes/until.ts';
import { deliver, labeledIssue, REPOSITORY, SECRET, SENDER } from '../testing/system/github.ts';
import { startInFolder, type RunningSystem } from '../testing/system/in-folder.ts';

let folder: SystemFolder;
let fake: Awaited<ReturnType<typeof startFakeGithub>>;
let repository: FakeRepository;
let system: RunningSystem;

beforeAll(async () => {
  folder = await systemFolder();
  fake = await startFakeGithub();
  repository = fake.addRepository(REPOSITORY);
  await writeFile(join(folder.path, 'token'), fake.token);
  await writeFile(join(folder.path, 'secret'), SECRET);
  system = await startInFolder(folder.path, {
    github: { url: fake.url, token: { file: 'token' }, catchUp: { everySeconds: 1 } },
    outbound: { privateHosts: [fake.host] },
    webhooks: { github: { secrets: [{ file: 'secret' }] } },
    repositories: [
      {
        name: 'sample',
        url: '/nowhere',
        test: ['true'],
        github: REPOSITORY,
        trusted: [SENDER],
        capabilities: ['none'],
      },
    ],
  });
}, 60_000);
afterAll(async () => {
  await folder.remove();
  await fake.close();
});

type Facts = { readonly lookedAt: string | null; readonly found: number; readonly cut: null; readonly failing: number };
async function facts(): Promise<Facts> {
  const health = await fetch(`${system.url}/health`);
  return ((await health.json()) as { details: { catchUp: Facts } }).details.catchUp;
}

const taskOf = (id: string) =>
  until('the task', async () => {
    const { status, body } = await system.client.send('GET', `/tasks/${id}`);
    return status === 200 ? body : null;
  });

test('a label that nobody told of is found, one that was told makes no second task, and looking costs nothing', async () => {
  await untilTrue(async () => (await facts()).lookedAt !== null);
  const { body } = await deliver(system.client, labeledIssue(7, 'It was told'));
  const told = taskIdOfIssue('github', REPOSITORY, 7);
  const missed = taskIdOfIssue('github', REPOSITORY, 8);
  expect(body['taskId']).toBe(told);
  await taskOf(told);
  const at = new Date(Date.now() - 120_000).toISOString();
  const event = (id: number, number: number) => ({
    ...{ id, event: 'labeled', created_at: at, actor: { login: SENDER }, label: { name: 'workledger' } },
    issue: { number, title: `Issue ${number}`, body: 'please', state: 'open', labels: [{ name: 'workledger' }] },
  });
  repository.issueEvents.push(event(1, 7), event(2, 8));
  const task = await taskOf(missed);
  expect(task).toMatchObject({ title: 'Issue 8' });
  await untilTrue(async () => (await facts()).found === 2);
  const tasks = await system.client.send('GET', '/tasks');
  expect(tasks.body['items']).toHaveLength(2);
  const { body: seen } = await system.client.send(
    'GET',
    `/webhooks/deliveries/${deliveryStreamId('github', 'found-event-1')}`,
  );
  expect(seen).toMatchObject({ outcome: 'ignored', provider: 'github' });

  const { lookedAt } = await facts();
  const { remaining } = fake.quota;
  await untilTrue(async () => (await facts()).lookedAt !== lookedAt);
  expect([fake.quota.remaining, (await facts()).found]).toEqual([remaining, 2]);
});
