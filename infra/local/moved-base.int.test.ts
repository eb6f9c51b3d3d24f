import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startFakeGithub } from '../testing/github/fake-github.ts';
import { countPushes, passedBeside, standsFor } from '../testing/github/git-branches.ts';
import type { FakeRepository } from '../testing/github/state.ts';
import { systemFolder, type SystemFolder } from '../testing/processes/folder.ts';
import { untilTrue } from '../testing/processes/until.ts';
import { createCheckedOrigin } from '../testing/repository/git.ts';
import { scriptAgent } from '../testing/repository/shell-repository.ts';
import { deliver, SECRET, SENDER, signed } from '../testing/system/github.ts';
import { startInFolder, type RunningSystem } from '../testing/system/in-folder.ts';
import { createTask, finalTask } from '../testing/system/tasks.ts';

const NAMES = ['queue', 'silent'] as const;
/** Every task adds a file of its own: nothing conflicts, and each moves the base for all others. */
const work = `name=$(sed -n 's/^# Part /part-/p' | head -n 1); echo "$name" > "$name"\n`;

type Place = { readonly repository: FakeRepository; readonly pushes: (branch: string) => number };

let folder: SystemFolder;
let fake: Awaited<ReturnType<typeof startFakeGithub>>;
let system: RunningSystem;
const places = {} as Record<(typeof NAMES)[number], Place>;

beforeAll(async () => {
  folder = await systemFolder();
  fake = await startFakeGithub();
  await writeFile(join(folder.path, 'token'), fake.token);
  await writeFile(join(folder.path, 'secret'), SECRET);
  const pullRequest = { mergedBy: 'workledger', pollSeconds: 1, checksSeconds: 2 };
  const repositories = NAMES.map((name) => {
    const origin = createCheckedOrigin(folder.path, name, 'true\n');
    const repository = fake.addRepository(`acme/${name}`);
    Object.assign(repository, standsFor(origin), { mustBeUpToDate: true });
    places[name] = { repository, pushes: countPushes(origin) };
    return {
      ...{ name, url: origin, baseBranch: 'trunk', test: ['sh', 'check'], merge: 'pull-request', pullRequest },
      ...{ github: `acme/${name}`, trusted: [SENDER] },
    };
  });
  system = await startInFolder(folder.path, {
    ...{ github: { url: fake.url, token: { file: 'token' } }, outbound: { privateHosts: [fake.host] } },
    webhooks: { github: { secrets: [{ file: 'secret' }] } },
    ...{ repositories, agents: [scriptAgent('parts', work, { capacity: 4 })], sandbox: 'off' },
  });
}, 60_000);
afterAll(async () => {
  await folder.remove();
  await fake.close();
});

/** Tasks whose pull requests all wait for the same base. */
async function waiting(name: (typeof NAMES)[number], count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let part = 1; part <= count; part++)
    ids.push(await createTask(system.client, name, { title: `Part ${part}`, capabilities: ['parts'] }));
  for (const id of ids) await passedBeside(places[name].repository, id, null);
  return ids;
}

/** Somebody answers by a comment on a pull request. */
async function say(login: string, number: number) {
  const pull = places.silent.repository.pulls.find((each) => each.number === number);
  const issue = { number, body: pull?.body, pull_request: {} };
  const told = { action: 'created', issue, comment: { body: '@workledger answer merge' }, sender: { login } };
  const delivery = signed(JSON.stringify({ ...told, repository: { full_name: 'acme/silent' } }), 'issue_comment');
  return (await deliver(system.client, delivery)).body;
}

const merges = (name: string): number =>
  fake.calls.filter(
    ({ method, path, status }) => method === 'PUT' && status === 200 && path.startsWith(`/repos/acme/${name}/`),
  ).length;

/** Every head that there is passes in CI. */
function passCi({ pulls, branches, statuses }: FakeRepository): void {
  for (const { head, state } of pulls) {
    const sha = branches.get(head);
    if (state === 'open' && sha !== undefined && !statuses.some((one) => one.sha === sha && one.context === 'ci'))
      statuses.push({ sha, context: 'ci', state: 'success' });
  }
}

describe('pull requests that wait for one base, which they must be up to date with', { timeout: 120_000 }, () => {
  test('are all merged: the first as it was checked, each of the others after one rebase, when its turn has come', async () => {
    const { repository, pushes } = places.queue;
    const ids = await waiting('queue', 3);
    const ci = setInterval(() => passCi(repository), 100);
    const tasks = await Promise.all(ids.map((id) => finalTask(system.client, id))).finally(() => clearInterval(ci));
    expect(tasks.map(({ state, failure }) => ({ state, failure }))).toEqual(
      ids.map(() => ({ state: 'complete', failure: null })),
    );
    expect(ids.map((id) => pushes(`workledger/${id}`)).toSorted()).toEqual([1, 2, 2]);
    expect(merges('queue')).toBe(3);
    const { body } = await system.client.expect2xx('GET', '/merge-queues?limit=100');
    const left = (body['items'] as { repository: string; state: string }[]).map(({ state }) => state);
    expect(left).toEqual(['merged', 'merged']);
  });

  test('wait for a person where no check starts on the head that a rebase made, who is asked there once, and has it merged by a comment', async () => {
    const { repository, pushes } = places.silent;
    const ids = await waiting('silent', 2);
    passCi(repository);
    await untilTrue(() => Promise.resolve(merges('silent') === 1), 30);
    const number = (): number => repository.pulls.find(({ state }) => state === 'open')?.number ?? 0;
    const said = () => repository.comments.filter((comment) => comment.number === number());
    await untilTrue(() => Promise.resolve(said().length > 0), 40);
    const [comment, ...more] = said();
    expect([comment?.body, more]).toEqual([expect.stringContaining('none has started on this one'), []]);
    expect(comment?.body).toContain('Answer by `@workledger answer` and one of: wait, merge, give-up.');
    const { body } = await system.client.expect2xx('GET', '/questions?limit=100');
    const [asked, ...others] = body['items'] as { id: string; text: string; state: string }[];
    expect([others.length, asked?.text]).toEqual([0, expect.stringContaining('none has started on this one')]);
    expect(merges('silent')).toBe(1);
    expect(await say('eve', number())).toMatchObject({ outcome: 'ignored' });
    await untilTrue(() => Promise.resolve(said().some((each) => each.body.includes('@eve Only those'))), 30);
    expect(await say(SENDER, number())).toMatchObject({ outcome: 'routed' });
    for (const id of ids) expect(await finalTask(system.client, id)).toMatchObject({ state: 'complete' });
    expect(merges('silent')).toBe(2);
    expect(ids.map((id) => pushes(`workledger/${id}`)).toSorted()).toEqual([1, 2]);
    await untilTrue(() => Promise.resolve(comment?.body.includes('Answered: merge, by ada.') === true), 30);
    expect(fake.calls.filter(({ method, path }) => method === 'POST' && path.endsWith('/comments'))).toHaveLength(2);
  });
});
