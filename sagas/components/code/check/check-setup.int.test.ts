import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { configurationSchema } from '@workledger/shared/config/schema.ts';
import { createBareOrigin, createUserRepository, git, type Files } from '@workledger/infra/testing/repository/git.ts';
import { checkSetup } from './check-setup.ts';
import type { FakeRepository } from '@workledger/infra/testing/github/state.ts';
import { startFakeGithub } from '@workledger/infra/testing/github/fake-github.ts';
import type { CheckResult } from './result.ts';

const node = process.execPath;
const print = (text: string): string[] => ['echo', text];

type Options = {
  bare?: boolean;
  agent?: object;
  files?: Files;
  /** Beside repositories and agents. */
  configuration?: object;
  ciWait?: { seconds: number; everyMilliseconds: number };
  /** What is done to the origin before. */
  origin?: (bare: string) => void;
};

/** Checks a repository registered like this; answers the results by their subjects. */
async function check(registration: object, options: Options = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'workledger-check-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const user = join(folder, 'user');
  createUserRepository(user, { 'file.txt': 'x', ...options.files });
  const bare = createBareOrigin(user);
  options.origin?.(bare);
  const url = options.bare === false ? user : bare;
  const repositories = [{ name: 'shop', url, test: print('fine'), ...registration }];
  const agents = options.agent === undefined ? [] : [{ name: 'a', ...options.agent }];
  const told: CheckResult[] = [];
  const configuration = configurationSchema.parse({
    ...{ sandbox: 'off', repositories, agents },
    ...options.configuration,
  });
  const dataFolder = join(folder, 'data');
  const results = await checkSetup(
    { configuration, folder, dataFolder, ...(options.ciWait && { ciWait: options.ciWait }) },
    (result) => told.push(result),
  );
  expect(told).toEqual(results);
  // What was pushed to try it is gone.
  expect(git(bare, 'for-each-ref', '--format=%(refname)', 'refs/workledger/', 'refs/heads/workledger/')).toBe('');
  return Object.fromEntries(results.map(({ subject, ok, detail }) => [subject, [ok, detail]]));
}

test('a repository whose commands pass on its base is fine', async () => {
  const found = await check({ setup: print('set up'), evaluate: print('{"time":1}'), merge: 'fast-forward' });
  expect(found).toMatchObject({
    'repository "shop"': [true, expect.stringMatching(/main at [0-9a-f]{12}$/)],
    'repository "shop": merge': [true, expect.stringMatching(/^"main" can be moved forward/)],
    'repository "shop": setup': [true, expect.stringMatching(/exit code 0$/)],
    'repository "shop": test': [true, expect.stringMatching(/exit code 0$/)],
    'repository "shop": evaluate': [true, '{"time":1}'],
  });
});

test('what a clone would need beside git is told: LFS, filters that nobody configured, submodules', async () => {
  const files = {
    '.gitattributes': '*.bin filter=lfs -text\n# *.no filter=comment\n',
    'deep/er/.gitattributes': '*.x filter=none-such\n',
    '.gitmodules': '[submodule "sub"]\n\tpath = sub\n\turl = ../sub\n',
  };
  expect(await check({}, { files })).toMatchObject({
    'repository "shop": LFS': [false, expect.stringMatching(/install git-lfs and run "git lfs install"/)],
    'repository "shop": filters': [true, expect.stringMatching(/names none-such, which nobody configured/)],
    'repository "shop": submodules': [true, expect.stringMatching(/git submodule update --init/)],
  });
});

test('a command that fails on the base is told with its exit code and last line', async () => {
  const found = await check({ test: ['sh', '-c', 'echo no database; exit 4'] });
  expect(found['repository "shop": test']).toEqual([
    false,
    expect.stringMatching(/exit code 4\. Last line: no database$/),
  ]);
});

test('after a setup that fails nothing else is run', async () => {
  const found = await check({ setup: ['false'], evaluate: print('{"time":1}') });
  expect(Object.keys(found).slice(-2)).toEqual(['repository "shop": branches', 'repository "shop": setup']);
});

test('an evaluate command must print the metric that evolution decides by', async () => {
  const evolve = { metric: 'speed', direction: 'maximize' };
  expect((await check({ evaluate: print('{"time":1}'), evolve }))['repository "shop": evaluate']).toEqual([
    false,
    'printed no metric "speed", which "evolve" names',
  ]);
  expect((await check({ evaluate: print('fast'), evolve }))['repository "shop": evaluate']?.[0]).toBe(false);
});

test('a missing address, branch or command is told', async () => {
  expect((await check({ url: '/no/such/repository' }))['repository "shop"']?.[0]).toBe(false);
  expect((await check({ baseBranch: 'trunk' }))['repository "shop"']).toEqual([
    false,
    'no branch "trunk": set "baseBranch"',
  ]);
  expect((await check({ test: ['no-such-command'] }))['repository "shop"']).toEqual([
    false,
    expect.stringMatching(/cannot start "no-such-command"/),
  ]);
});

test('a base branch that a person has checked out cannot be moved forward', async () => {
  const found = await check({ merge: 'fast-forward' }, { bare: false });
  expect(found['repository "shop": merge']).toEqual([false, expect.stringMatching(/"main" is checked out/)]);
});

/** Checks a configuration of one agent, and no repository. */
async function checkAgent(agent: object) {
  const configuration = configurationSchema.parse({ sandbox: 'off', agents: [{ name: 'a', ...agent }] });
  const results = await checkSetup({ configuration, folder: tmpdir(), dataFolder: join(tmpdir(), 'workledger-none') });
  return Object.fromEntries(results.map(({ subject, ok, detail }) => [subject, [ok, detail]]));
}

test('an agent needs an executable, on PATH or by an absolute path', async () => {
  const agent = async (command: string) => (await checkAgent({ command: [command] }))['agent "a": executable'];
  expect(await agent(node)).toEqual([true, node]);
  expect((await agent('git'))?.[0]).toBe(true);
  expect((await agent('no-such-agent'))?.[0]).toBe(false);
  expect(await agent('./agent')).toEqual([false, expect.stringMatching(/use an absolute path/)]);
  const folder = mkdtempSync(join(tmpdir(), 'workledger-plain-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const plainFile = join(folder, 'file');
  writeFileSync(plainFile, '', { mode: 0o644 });
  expect((await agent(plainFile))?.[0]).toBe(false);
});

test('a variable that an agent is to get must be set', async () => {
  const agent = { command: [node], environment: ['WORKLEDGER_NOT_SET'] };
  expect((await checkAgent(agent))['agent "a": environment']).toEqual([
    false,
    'set WORKLEDGER_NOT_SET, or do not name it',
  ]);
});

const hook =
  (name: string, script: string) =>
  (bare: string): void =>
    writeFileSync(join(bare, 'hooks', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });

test('pushes are tried and taken back: of results, and of branches', async () => {
  expect(await check({})).toMatchObject({
    'repository "shop": results': [true, 'refs/workledger/… can be pushed and removed'],
    'repository "shop": branches': [true, 'refs/heads/workledger/… can be pushed and removed'],
  });
});

test('a branch named workledger is in the way', async () => {
  const found = await check({}, { origin: (bare) => void git(bare, 'branch', 'workledger', 'main') });
  expect(found['repository "shop": branches']).toEqual([
    false,
    expect.stringMatching(/has a branch named workledger.*rename it$/),
  ]);
  expect(found['repository "shop": results']?.[0]).toBe(true);
});

test('a hook that refuses results is told in its own words', async () => {
  const script = 'case "$1" in refs/workledger/*) echo "only branches here"; exit 1;; esac';
  const found = await check({}, { origin: hook('update', script) });
  expect(found['repository "shop": results']).toEqual([
    false,
    expect.stringMatching(/^a hook of the origin refuses "refs\/workledger\/check-[0-9a-f]+": .*only branches here/),
  ]);
  expect(found['repository "shop": branches']?.[0]).toBe(true);
});

test('what is pushed and cannot be removed is told, by its name', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'workledger-stays-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const user = join(folder, 'user');
  createUserRepository(user, { 'file.txt': 'x' });
  const bare = createBareOrigin(user);
  git(bare, 'config', 'receive.denyDeletes', 'true');
  const repositories = [{ name: 'shop', url: bare, test: print('fine') }];
  const configuration = configurationSchema.parse({ sandbox: 'off', repositories });
  const results = await checkSetup({ configuration, folder, dataFolder: join(folder, 'data') });
  expect(results.find(({ subject }) => subject.endsWith('branches'))).toMatchObject({
    ok: false,
    detail: expect.stringMatching(
      /can be pushed, but not removed \(remove refs\/heads\/workledger\/check-.*deletion prohibited/,
    ),
  });
});

test('protected paths that match nothing are a warning, those that git does not understand a fault', async () => {
  const subject = 'repository "shop": protected paths';
  const protectedPaths = ['file.txt', 'tests/', ':(glob)**/*.spec.ts'];
  expect((await check({ protectedPaths }))[subject]).toEqual([
    true,
    'warning: nothing on main matches "tests/", ":(glob)**/*.spec.ts"',
  ]);
  expect(await check({ protectedPaths: ['file.txt'] })).not.toHaveProperty([subject]);
  expect((await check({ protectedPaths: [':(odd)x'] }))[subject]).toEqual([
    false,
    expect.stringMatching(/^":\(odd\)x": git does not understand a path/),
  ]);
});

test('secrets and certificates that are not there are told by name', async () => {
  const configuration = {
    webhooks: { github: { secrets: [{ file: 'no-such-secret' }] } },
    tls: { certificate: '/no/such/certificate', key: '/no/such/key' },
  };
  const webhook = { secrets: [{ env: 'WORKLEDGER_NOT_SET' }] };
  expect(await check({ webhook, github: 'me/shop' }, { configuration })).toMatchObject({
    'webhooks.github.secrets': [false, expect.stringMatching(/no-such-secret: ENOENT/)],
    'repository "shop": webhook': [false, expect.stringMatching(/WORKLEDGER_NOT_SET is not set/)],
    'tls.certificate': [false, expect.stringMatching(/certificate is not there/)],
    'tls.key': [false, expect.stringMatching(/key is not there/)],
  });
});

test('names that never meet what they are to meet are told', async () => {
  const found = await check(
    { trusted: ['@me', 'you', 'me@example.org'], github: 'me/shop.git', capabilities: ['code', 'rust'] },
    { agent: { command: [node] } },
  );
  expect(found).toMatchObject({
    'repository "shop": trusted': [false, expect.stringMatching(/without "@".*correct @me, me@example\.org$/)],
    'repository "shop": github': [false, expect.stringMatching(/write owner\/repository/)],
    'repository "shop": capabilities': [false, expect.stringMatching(/no configured agent has rust/)],
  });
});

test('without a repository and an agent there is nothing to check, and that is no success', async () => {
  const configuration = configurationSchema.parse({});
  const results = await checkSetup({ configuration, folder: tmpdir(), dataFolder: join(tmpdir(), 'workledger-none') });
  expect(results).toMatchObject([
    { subject: 'configuration', ok: false, detail: expect.stringMatching(/workledger\.json/) },
  ]);
});

test('named checks are tried on the base, also those that only some changes need; nothing of theirs is kept', async () => {
  const report = { format: 'eslint', path: null };
  const found = await check({
    checks: [
      { name: 'lint', command: print('[]'), report, policy: { failAt: 'high', onlyNew: true } },
      { name: 'types', command: ['false'], when: { changed: ['nothing'] }, parallel: false },
      { name: 'audit', command: print('no JSON'), report, onUnavailable: 'pass' },
    ],
  });
  expect(found).toMatchObject({
    'repository "shop": check lint': [true, 'passed: no findings'],
    'repository "shop": check types': [false, 'failed: exit code 1'],
    'repository "shop": check audit': [true, 'unavailable: the report is no JSON'],
  });
});

describe('where work is merged by pull requests, CI', () => {
  const workflow = (on: string): Files => ({ '.github/workflows/ci.yml': `name: ci\non: ${on}\n` });
  async function onGithub(files: Files, onPush?: (fake: FakeRepository, commit: string) => void) {
    const fake = await startFakeGithub();
    onTestFinished(() => fake.close());
    const repository = fake.addRepository('acme/shop');
    process.env['CHECK_CI_TOKEN'] = fake.token;
    const watchPushes = (bare: string): void => {
      const main = git(bare, 'rev-parse', 'main');
      const look = setInterval(() => {
        const refs = git(bare, 'for-each-ref', '--format=%(objectname)', 'refs/heads/workledger/check-*');
        const pushed = refs.split('\n').find((commit) => commit !== '' && commit !== main);
        if (pushed !== undefined && repository.statuses.length === 0) onPush?.(repository, pushed);
      }, 30);
      onTestFinished(() => clearInterval(look));
    };
    const configuration = {
      github: { url: fake.url, token: { env: 'CHECK_CI_TOKEN' } },
      outbound: { privateHosts: [fake.host] },
    };
    const ciWait = { seconds: onPush === undefined ? 0.2 : 20, everyMilliseconds: 50 };
    const registration = { merge: 'pull-request', github: 'acme/shop' };
    return check(registration, { files, configuration, ciWait, origin: watchPushes });
  }
  const ci = (found: Record<string, unknown>) => found['repository "shop": CI'];

  test('is seen to start on a commit that is pushed for it and removed again', async () => {
    const begin = (fake: FakeRepository, sha: string) =>
      fake.statuses.push({ sha, context: 'build', state: 'pending' });
    expect(ci(await onGithub(workflow('push'), begin))).toEqual([true, 'starts on what is pushed: build']);
  });

  test.each([
    ['push', false, /though ci\.yml should: are Actions allowed/],
    ['[pull_request]', true, /ci\.yml starts on pull requests, which is not tried/],
    ['{}\nother: 1', true, /only Workledger's own tests judge/],
    ["\n  push:\n    branches: ['main']", false, /ci\.yml has a filter under "on: push" → add 'workledger\/\*\*'/],
  ])('that does not start is told with what to do: on %j', async (on, ok, words) => {
    expect(ci(await onGithub(workflow(on)))).toEqual([ok, expect.stringMatching(words)]);
  });
});
