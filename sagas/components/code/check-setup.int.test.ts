import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { configurationSchema } from '@workledger/shared/config/schema.ts';
import { createBareOrigin, createUserRepository, type Files } from '@workledger/infra/testing/repository/git.ts';
import { checkSetup, type CheckResult } from './check-setup.ts';

const node = process.execPath;
const print = (text: string): string[] => [node, '-e', `console.log(${JSON.stringify(text)})`];

/** Checks a repository registered like this; answers the results by their subjects. */
async function check(registration: object, options: { bare?: boolean; agent?: object; files?: Files } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'workledger-check-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const user = join(folder, 'user');
  createUserRepository(user, { 'file.txt': 'x', ...options.files });
  const bare = createBareOrigin(user);
  const url = options.bare === false ? user : bare;
  const repositories = [{ name: 'shop', url, test: print('fine'), ...registration }];
  const agents = options.agent === undefined ? [] : [{ name: 'a', ...options.agent }];
  const told: CheckResult[] = [];
  const configuration = configurationSchema.parse({ sandbox: 'off', repositories, agents });
  const dataFolder = join(folder, 'data');
  const results = await checkSetup({ configuration, folder, dataFolder }, (result) => told.push(result));
  expect(told).toEqual(results);
  return Object.fromEntries(results.map(({ subject, ok, detail }) => [subject, [ok, detail]]));
}

test('a repository whose commands pass on its base is fine', async () => {
  const found = await check({ setup: print('set up'), evaluate: print('{"time":1}'), merge: 'fast-forward' });
  expect(found).toMatchObject({
    'repository "shop"': [true, expect.stringMatching(/main at [0-9a-f]{12}$/)],
    'repository "shop": merge': [true, '"main" can be moved forward'],
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
  const found = await check({ test: [node, '-e', 'console.log("no database"); process.exit(4)'] });
  expect(found['repository "shop": test']).toEqual([
    false,
    expect.stringMatching(/exit code 4\. Last line: no database$/),
  ]);
});

test('after a setup that fails nothing else is run', async () => {
  const found = await check({ setup: [node, '-e', 'process.exit(1)'], evaluate: print('{"time":1}') });
  expect(Object.keys(found)).toEqual(['repository "shop"', 'repository "shop": setup']);
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

test('an agent needs an executable, on PATH or by an absolute path', async () => {
  const agent = async (command: string) =>
    (await check({}, { agent: { command: [command] } }))['agent "a": executable'];
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
  expect((await check({}, { agent }))['agent "a": environment']).toEqual([
    false,
    'set WORKLEDGER_NOT_SET, or do not name it',
  ]);
});
