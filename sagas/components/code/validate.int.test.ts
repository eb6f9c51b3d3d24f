import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { ComponentFailure } from '../../engine/component.ts';
import { createCodeWorld, createTestArtefacts, type TestArtefacts } from '../testing.ts';
import { commitAsUser, git, type Files } from '@workledger/infra/testing/repository/git.ts';
import type { ResultOf } from '../catalogue.ts';

let store: TestArtefacts;
beforeAll(async () => void (store = await createTestArtefacts()));
afterAll(() => store.drop());

function world(options: Parameters<typeof createCodeWorld>[1] = {}) {
  const made = createCodeWorld(store.artefacts, options);
  onTestFinished(() => made.remove());
  /** A commit of somebody else on a branch of the origin. */
  const change = (files: Files, branch = 'other'): string => {
    const commit = commitAsUser(made.user, files, 'Change');
    git(made.user, 'push', '--quiet', '--force', 'origin', `HEAD:refs/heads/${branch}`);
    git(made.user, 'reset', '--quiet', '--hard', made.base);
    return commit;
  };
  const validate = (commit: string) =>
    made.call<ResultOf<'code.validate'>>('code.validate', { commit, base: made.base });
  return { ...made, change, validate };
}

const fixed: Files = { 'src/add.mjs': 'export const add = (a, b) => a + b;\n' };

describe('prepare', () => {
  test('tells the base commit and what the registration asks for', async () => {
    const { call, base } = world({ repository: { limits: { timeoutSeconds: 10 } } });
    expect(await call<ResultOf<'code.prepare'>>('code.prepare', {})).toEqual({
      base,
      evolve: null,
      merge: 'fast-forward',
      baseBranch: 'main',
      approval: null,
      evaluates: true,
      improver: null,
      timeouts: { agent: 560, check: 560 },
    });
  });

  test('names a base branch that is not there, and a repository that cannot be reached', async () => {
    await expect(world({ repository: { baseBranch: 'trunk' } }).call('code.prepare', {})).rejects.toMatchObject({
      failure: { step: 'prepare', reason: 'repository "sample" has no branch "trunk"' },
      retryable: false,
    });
    const gone = world();
    await rm(gone.bare, { recursive: true });
    await expect(gone.call('code.prepare', {})).rejects.toMatchObject({
      failure: { step: 'prepare', reason: expect.stringMatching(/does not appear to be a git repository/) },
      ...{ retryable: false, fault: 'origin' },
    });
  });
});

describe('validate', () => {
  test('passes work whose tests pass, with a report of what ran', async () => {
    const { validate, change, text, leftovers } = world({ repository: { setup: [process.execPath, '--version'] } });
    const result = await validate(change(fixed));
    expect(result).toMatchObject({ failure: null, protectedChanges: [] });
    const report = await text(result.report.digest);
    expect(report).toContain(`[setup] ${process.execPath} --version\n${process.version}`);
    expect(report).toMatch(/\[test\] .*\n\n\[test\] exit code 0/);
    expect(leftovers()).toEqual([]);
  });

  test('answers a failing test as a result: command, exit code, last lines, whole log', async () => {
    const { validate, change, text } = world();
    const { failure } = await validate(change({ 'src/add.mjs': 'export const add = () => 7;\n' }));
    expect(failure).toMatchObject({ step: 'test', reason: 'exit code 1', exitCode: 1, lastLines: ['add is wrong'] });
    expect(await text(failure!.log!.digest)).toContain('add is wrong');
  });

  test('answers a setup that fails as a result, too, and does not go on to the tests', async () => {
    const { validate, change, text } = world({ repository: { setup: [process.execPath, '-e', 'process.exit(3)'] } });
    const { failure, report } = await validate(change(fixed));
    expect(failure).toMatchObject({ step: 'setup', exitCode: 3 });
    expect(await text(report.digest)).not.toContain('[test]');
  });

  test('ends tests that hang', async () => {
    const { validate, change } = world({ repository: { limits: { timeoutSeconds: 1 } } });
    const { failure } = await validate(change({ 'src/add.mjs': 'setInterval(() => {}, 1000); export const add = 1;' }));
    expect(failure).toMatchObject({ step: 'test' });
  });

  test('brings a deleted failing test back and reports the deletion', async () => {
    const { validate, change } = world();
    const { failure, protectedChanges } = await validate(change({ 'test/add.test.mjs': null }));
    expect(protectedChanges).toEqual(['test/add.test.mjs']);
    expect(failure).toMatchObject({ step: 'test', lastLines: ['add is wrong'] });
  });

  test('judges by the base test when the change weakens it, and removes files added under protected paths', async () => {
    const { validate, change } = world({ repository: { test: [process.execPath, '-e', list] } });
    const { report, protectedChanges } = await validate(
      change({ ...fixed, 'test/add.test.mjs': '', 'test/added.mjs': 'added' }),
    );
    expect(protectedChanges).toEqual(['test/add.test.mjs', 'test/added.mjs']);
    const text = Buffer.from((await store.artefacts.get(report.digest))!.bytes).toString();
    expect(text).toContain('listed: add.test.mjs,measure.mjs');
    expect(text).toContain('add is wrong');
  });

  test('leaves the judged commit in the origin: the work, with the protected paths of the base', async () => {
    const { validate, change, bare } = world();
    const commit = change({ ...fixed, 'test/add.test.mjs': '' });
    const result = await validate(commit);
    expect(result.commit).not.toBe(commit);
    expect(git(bare, 'rev-parse', `${result.commit}^`)).toBe(commit);
    expect(git(bare, 'diff', '--name-only', commit, result.commit)).toBe('test/add.test.mjs');
    const unchanged = change({ 'src/add.mjs': 'export const add = (a, b) => b + a;\n' });
    expect((await validate(unchanged)).commit).toBe(unchanged);
  });

  test('is not misled by a link in the place of a protected folder', async () => {
    const made = world({ repository: { test: [process.execPath, '-e', list] } });
    const elsewhere = join(made.folder, 'elsewhere');
    mkdirSync(elsewhere);
    git(made.user, 'rm', '-r', '--quiet', 'test');
    symlinkSync(elsewhere, join(made.user, 'test'));
    const { report } = await made.validate(made.change({}));
    const text = Buffer.from((await store.artefacts.get(report.digest))!.bytes).toString();
    expect(text).toContain('listed: add.test.mjs,measure.mjs');
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  test('fails as a component when the test command is not there', async () => {
    const { validate, change } = world({ repository: { test: ['no-such-test-command'] } });
    await expect(validate(change(fixed))).rejects.toMatchObject({
      failure: { reason: expect.stringMatching(/cannot start "no-such-test-command"/) },
      retryable: false,
    });
  });

  test('works with a data folder that is empty: all it needs comes from the origin', async () => {
    const made = world();
    const commit = made.change(fixed);
    await made.validate(commit);
    await rm(made.dataFolder, { recursive: true });
    expect((await made.validate(commit)).failure).toBeNull();
  });
});

const list = `console.log('listed: ' + require('node:fs').readdirSync('test').sort());
  console.log(require('node:fs').readFileSync('test/add.test.mjs', 'utf8'));`;

describe('evaluate', () => {
  test('answers the metrics of the last line', async () => {
    const { call, base } = world();
    expect((await call<ResultOf<'code.evaluate'>>('code.evaluate', { commit: base })).metrics).toEqual({ size: 36 });
  });

  test.each([
    ['no line of JSON', `console.log('fast!')`],
    ['a value that is no number', `console.log('{"time":"fast"}')`],
    ['an empty object', `console.log('{}')`],
    ['metrics before the last line', `console.log('{"time":1}'); console.log('done')`],
  ])('fails by name for %s', async (_, script) => {
    const { call, base } = world({ repository: { evaluate: [process.execPath, '-e', script] } });
    const failing = call('code.evaluate', { commit: base });
    await expect(failing).rejects.toThrow(/printed no metrics/);
    await expect(failing).rejects.toMatchObject({ fault: 'work', failure: { step: 'evaluate', exitCode: 0 } });
  });

  test('fails by name for more metrics than fit an event, with last lines that do', async () => {
    const script = `console.log(JSON.stringify(Object.fromEntries(Array.from({ length: 40000 }, (_, i) => ['m' + i, i]))))`;
    const { call, base } = world({ repository: { evaluate: [process.execPath, '-e', script] } });
    const error: unknown = await call('code.evaluate', { commit: base }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ failure: { reason: expect.stringMatching(/printed 40000 metrics: at most 200/) } });
    expect(JSON.stringify((error as ComponentFailure).failure).length).toBeLessThan(5_000);
  });
});

describe('inspect and diff', () => {
  test('answer what changed since the base', async () => {
    const made = world();
    const commit = made.change(fixed);
    const inspected = await made.call<ResultOf<'code.inspect'>>('code.inspect', { commit, base: made.base });
    expect(inspected.diffStat).toEqual({ files: 1, insertions: 1, deletions: 1 });
    expect(await made.call<ResultOf<'code.diff'>>('code.diff', { commit, base: made.base })).toEqual(inspected);
  });

  test('a ref of a remote agent that leaves no room for those of the run is told at once, as work that comes back', async () => {
    const made = world();
    const { taskId, runId } = made.inRun;
    const commit = made.change(fixed, 'theirs');
    const inspect = () => made.call<ResultOf<'code.inspect'>>('code.inspect', { commit, base: made.base });
    for (const ref of [`refs/workledger/${taskId}/${runId}`, `refs/workledger/${taskId}`]) {
      git(made.user, 'push', '--quiet', made.bare, `${commit}:${ref}`);
      const failure: unknown = await inspect().catch((error: unknown) => error);
      expect(failure).toMatchObject({ retryable: false, fault: 'work' });
      expect((failure as Error).message).toContain(`push it to another name than ${ref}, `);
      git(made.user, 'push', '--quiet', made.bare, `:${ref}`);
    }
    expect((await inspect()).diffStat.files).toBe(1);
  });

  test('inspect refuses a commit that is not in the origin, does not descend from the base, or changes nothing', async () => {
    const made = world();
    const local = commitAsUser(made.user, fixed, 'Not pushed');
    git(made.user, 'checkout', '--quiet', '--orphan', 'stranger');
    const stranger = made.change({ 'new.txt': 'x' }, 'stranger');
    const empty = made.change({}, 'empty');
    const refusal = (commit: string) => made.call('code.inspect', { commit, base: made.base });
    await expect(refusal(local)).rejects.toThrow(/is not in the origin/);
    await expect(refusal(stranger)).rejects.toThrow(/does not descend from/);
    await expect(refusal(empty)).rejects.toThrow(/changes nothing/);
    await expect(refusal('--upload-pack=x')).rejects.toThrow(ComponentFailure);
  });
});

test('commands see nothing of the environment but PATH, HOME, LANG, CI and what keeps them apart', async () => {
  const print = `console.log(Object.keys(process.env).sort().join())`;
  const made = world({ repository: { test: [process.execPath, '-e', print] } });
  const { report } = await made.validate(made.base);
  const keys = /^(\S*PATH\S*)$/m.exec(await made.text(report.digest))?.[1]?.split(',') ?? [];
  const own = ['GIT_CEILING_DIRECTORIES', 'WORKLEDGER_ATTEMPT'];
  expect(keys.filter((key) => !['CI', 'HOME', 'LANG', 'PATH', ...own].includes(key))).toEqual([]);
  expect(keys).toContain('PATH');
});

test.each([
  ['the same key comes again', 'code.validate', 'another host'],
  ['Workledger starts again', 'code.work', hostname()],
])('what a killed process left is gone after %s', async (_, component, host) => {
  const made = world();
  const key = `saga-${made.inRun.runId}/${component}/1`;
  const stale = join(made.dataFolder, 'worktrees', 'stale');
  mkdirSync(stale, { recursive: true });
  mkdirSync(join(made.dataFolder, 'attempts'), { recursive: true });
  const owner = { host, pid: process.pid, startedAt: 'another time' };
  const record = { key, scope: 'x', owner, process: null, folders: [stale] };
  writeFileSync(join(made.dataFolder, 'attempts', 'stale.json'), JSON.stringify(record));
  await made.restart('code.validate', { commit: made.base, base: made.base });
  expect(existsSync(stale)).toBe(false);
  expect(made.leftovers()).toEqual([]);
});
