import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { commitAsUser, git, type Files } from '@workledger/infra/testing/repository/git.ts';
import type { ResultOf } from '../catalogue.ts';
import { createCodeWorld, createTestArtefacts, type TestArtefacts } from '../testing.ts';

let store: TestArtefacts;
beforeAll(async () => void (store = await createTestArtefacts()));
afterAll(() => store.drop());

type Options = NonNullable<Parameters<typeof createCodeWorld>[1]>;

function world(agents: Readonly<Record<string, string>>, options: Options = {}) {
  const shell = Object.entries(agents).map(([name, script]) => [
    name,
    `import { execFileSync } from 'node:child_process';
     process.stdout.write(execFileSync('sh', ['-ec', ${JSON.stringify(script)}]));`,
  ]);
  const made = createCodeWorld(store.artefacts, { ...options, agents: Object.fromEntries(shell) });
  onTestFinished(() => made.remove());
  const work = (name: string, change: object = {}) =>
    made.call<ResultOf<'code.work'>>('code.work', made.workRequest(name, change), undefined, `key/${name}`);
  const said = async (name: string, change: object = {}): Promise<string> =>
    made.text((await work(name, change)).output.digest);
  return { ...made, work, said };
}

function inEnvironment(name: string, value: string): void {
  const before = process.env[name];
  process.env[name] = value;
  onTestFinished(() => {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  });
}

const fix = `printf 'export const add = (a, b) => a + b;\\n' > src/add.mjs`;
const changed = (bare: string, from: string, to: string): string[] =>
  git(bare, 'diff', '--name-only', from, to).split('\n').filter(Boolean);

describe('what an attempt leaves in its repository', () => {
  test('is no other attempt’s: stash, branches, tags, configuration, hooks, replaced objects, sparse settings', async () => {
    const leaves = `${fix}; echo mine > NOTES; git stash --include-untracked --quiet; git checkout --quiet -b fix; git tag mine
      git config alias.mine status; mkdir -p .git/hooks; printf 'exit 1' > .git/hooks/pre-commit
      git replace HEAD $(git commit-tree -m other HEAD^{tree}); git sparse-checkout set src; ${fix}`;
    const looks = `${fix}; git stash list; git branch --list; git tag; git config --get-all alias.mine || true
      ls .git/hooks 2>/dev/null || true; git replace; test -e .git/info/sparse-checkout && echo sparse; git rev-parse HEAD`;
    const { said, work, base, call } = world({ leaves, looks });
    const { commit } = await work('leaves');
    expect(await said('looks', { label: 'looks-1' })).toBe(`* main\n${base}\n`);
    const request = { commit, base };
    expect((await call<ResultOf<'code.validate'>>('code.validate', request)).failure).toBeNull();
  });

  test('does not swap the work of two that stash at once', async () => {
    const one = (text: string) =>
      `echo ${text} > NOTES; git add NOTES; git stash --quiet; sleep 1; git stash pop --quiet; cat NOTES`;
    const { work, text } = world({ one: one('one'), other: one('other') });
    const results = await Promise.all(['one', 'other'].map((name) => work(name, { label: `${name}-1` })));
    expect(await Promise.all(results.map(({ output }) => text(output.digest)))).toEqual(['one\n', 'other\n']);
  });

  test('does not make the judge see what is not there: a replaced object', async () => {
    const replaces = `printf 'export const add = (a, b) => a + b;\\n' > src/add.mjs; good=$(git hash-object -w src/add.mjs)
      printf 'export const add = () => 7;\\n' > src/add.mjs; evil=$(git hash-object -w src/add.mjs); git replace $evil $good`;
    const { work, call, base, bare } = world({ replaces });
    const { commit } = await work('replaces');
    expect(git(bare, 'show', `${commit}:src/add.mjs`)).toBe('export const add = () => 7;');
    expect((await call<ResultOf<'code.validate'>>('code.validate', { commit, base })).failure).not.toBeNull();
  });
});

describe('an attempt is like a clone of the origin', () => {
  test('its branches, tags and address are there, the base branch is checked out', async () => {
    const looks = `${fix}; git branch --all --format='%(refname) %(symref)'; git tag; git symbolic-ref HEAD
      git config remote.origin.url; git rev-parse --abbrev-ref main@{upstream}; git describe --tags`;
    const made = world({ looks });
    git(made.user, 'tag', '-a', 'v1', '-m', 'One');
    git(made.user, 'push', '--quiet', 'origin', 'v1', 'HEAD:refs/heads/side');
    expect((await made.said('looks')).split('\n')).toEqual([
      'refs/heads/main ',
      'refs/remotes/origin/HEAD refs/remotes/origin/main',
      'refs/remotes/origin/main ',
      'refs/remotes/origin/side ',
      ...['v1', 'refs/heads/main', made.bare, 'origin/main', 'v1', ''],
    ]);
  });

  test('also one whose ids are SHA-256', async () => {
    const sha256 = join(world({}).folder, 'sha256');
    mkdirSync(sha256, { recursive: true });
    git(sha256, 'init', '--quiet', '--object-format=sha256', '--initial-branch=main');
    const base = commitAsUser(sha256, { 'a.txt': 'one\n', '.github/ci.yml': 'on: push\n' }, 'First');
    const url = `${sha256}.git`;
    execFileSync('git', ['clone', '--quiet', '--bare', sha256, url]);
    const edits = `echo two > a.txt; git commit --quiet -am Own; echo three >> a.txt; echo evil > .github/ci.yml`;
    const { call, work } = world({ edits }, { repository: { url, test: ['true'] } });
    expect(await call<ResultOf<'code.prepare'>>('code.prepare', {})).toMatchObject({ base });
    const { commit } = await work('edits', { parent: base });
    const judged = await call<ResultOf<'code.validate'>>('code.validate', { commit, base });
    expect(judged).toMatchObject({ failure: null, protectedChanges: ['.github/ci.yml'] });
    expect(git(url, 'show', `${judged.commit}:a.txt`)).toBe('two\nthree');
  });

  test('but does not borrow what other attempts made: it is given the commit that it starts from, and nothing more', async () => {
    const { work, said } = world({
      first: fix,
      other: `echo other > OTHER`,
      next: `${fix}; echo next >> NOTES; git cat-file -t $(cat ../../wanted 2>/dev/null || echo HEAD); git cat-file -t HEAD^`,
      looks: `echo looked > LOOKED; git cat-file -t "$(git log -1 --format=%H)"; git count-objects -v | grep in-pack`,
    });
    const { commit } = await work('first');
    await work('other', { label: 'other-1' });
    expect(await said('looks', { label: 'looks-1' })).toBe('commit\nin-pack: 0\n');
    expect(await said('next', { label: 'next-1', parent: commit })).toBe('commit\ncommit\n');
  });
});

describe('what counts is the tree', () => {
  test.each([
    ['amended', `${fix}; git commit --quiet --all --amend -m Mine`],
    ['reset', `echo mine > NOTES; git add -A; git commit --quiet -m Mine; git reset --quiet --soft HEAD~1; ${fix}`],
    ['orphan', `git checkout --quiet --orphan mine; ${fix}; git commit --quiet -am Rewritten`],
    ['a .git that is gone', `rm -rf .git; ${fix}`],
    [
      'another repository',
      `rm -rf .git; git init --quiet .; git add -A; git -c user.name=a -c user.email=a@b commit -qm x; ${fix}`,
    ],
  ])('history that was %s is put onto the parent', async (_, script) => {
    const { work, bare, base } = world({ agent: script });
    const { commit } = await work('agent');
    expect(git(bare, 'rev-parse', `${commit}^`)).toBe(base);
    expect(changed(bare, base, commit)).toContain('src/add.mjs');
  });

  test('files that were hidden by sparse settings are not deleted, files that are ignored but committed stay', async () => {
    const script = `${fix}; mkdir ignored; echo kept > ignored/kept; git add --force ignored/kept; git commit --quiet -am Own
      git sparse-checkout set src; test ! -e test`;
    const { work, bare, base } = world({ agent: script });
    expect(changed(bare, base, (await work('agent')).commit)).toEqual(['ignored/kept', 'src/add.mjs']);
  });
});

describe('what must not come in is refused in words', () => {
  test.each([
    ['an absolute link', `${fix}; ln -s /etc/passwd LINK`, /^LINK is a link that leads out of the repository/],
    ['a link upwards', `${fix}; ln -s ../../outside src/up`, /^src\/up is a link that leads out/],
    [
      'a new repository',
      `${fix}; git init -q inner; cd inner; git -c user.name=a -c user.email=a@b commit -qm x --allow-empty`,
      /^inner\/? is a git repository inside/,
    ],
    [
      'too much in its own commits',
      `${fix}; head -c 51000000 /dev/urandom > big; git add big; git commit -qm big; git rm -q big; git commit -qm gone`,
      /^its own commits are \d+ bytes, over 50000000/,
    ],
    [
      'text that its encoding does not take',
      `${fix}; printf 'a.txt working-tree-encoding=UTF-16\\n' > .gitattributes; printf 'abc' > a.txt`,
      /git does not take the files: .*UTF-16/s,
    ],
  ])('%s', async (_, script, reason) => {
    const { work } = world({ agent: script });
    await expect(work('agent')).rejects.toMatchObject({
      fault: 'work',
      failure: { reason: expect.stringMatching(reason) },
    });
  });

  test('a link that stays inside, and one that was there, may come', async () => {
    const { work, bare, base } = world({
      agent: `${fix}; ln -s ../README src/inside; mkdir a; ln -s ../src/add.mjs a/add`,
    });
    expect(changed(bare, base, (await work('agent')).commit)).toEqual(['a/add', 'src/add.mjs', 'src/inside']);
  });
});

describe('paths that are protected', () => {
  const ci: Files = { '.github/workflows/ci.yml': 'on: push\n' };

  test('are as they were before anything is on a branch: definitions of CI by default', async () => {
    const evil = `${fix}; mkdir -p .github/workflows; echo 'run: steal' > .github/workflows/evil.yml; echo x > .gitlab-ci.yml`;
    const { work, call, base, bare } = world({ evil });
    const { commit } = await work('evil', { base });
    const asked = { commit, base, branch: 'workledger/x' };
    const published = await call<ResultOf<'code.publish'>>('code.publish', asked);
    expect(git(bare, 'rev-parse', 'workledger/x')).toBe(published.commit);
    expect(changed(bare, base, published.commit)).toEqual(['src/add.mjs']);
    const judged = await call<ResultOf<'code.validate'>>('code.validate', { commit, base });
    expect(judged.commit).toBe(published.commit);
    expect(judged.protectedChanges).toEqual(['.github/workflows/evil.yml', '.gitlab-ci.yml']);
  });

  test('may be given up by the registration', async () => {
    const { work, call, base, bare } = world(
      { ci: `mkdir .github; echo x > .github/ci.yml` },
      { repository: { protectCi: false } },
    );
    const { commit } = await work('ci', { base });
    const published = await call<ResultOf<'code.publish'>>('code.publish', { commit, base, branch: 'workledger/x' });
    expect(published.commit).toBe(commit);
    expect(changed(bare, base, commit)).toEqual(['.github/ci.yml']);
  });

  test('are bytes: a name that is not UTF-8 comes back under its own name', async () => {
    const made = world({ agent: `${fix}; printf 'changed' > "$(printf 'test/caf\\351')"` });
    writeFileSync(Buffer.concat([Buffer.from(join(made.user, 'test/caf')), Buffer.from([0xe9])]), 'kept');
    const base = commitAsUser(made.user, ci, 'Latin');
    git(made.user, 'push', '--quiet', 'origin', 'HEAD:refs/heads/main');
    const { commit } = await made.work('agent', { parent: base, base });
    const judged = await made.call<ResultOf<'code.validate'>>('code.validate', { commit, base });
    expect(changed(made.bare, base, judged.commit)).toEqual(['src/add.mjs']);
    expect(judged.protectedChanges).toHaveLength(1);
  });

  test('are those of the recorded base, whatever the branch is now', async () => {
    const { call, base, user } = world({});
    const evaluated = commitAsUser(user, { 'src/add.mjs': 'export const add = (a, b) => a + b;\n' }, 'Fix');
    git(user, 'push', '--quiet', 'origin', 'HEAD:refs/heads/work');
    git(user, 'push', '--quiet', 'origin', `HEAD:refs/heads/main`);
    commitAsUser(user, { 'test/measure.mjs': `console.log('{"size":0}')` }, 'Another yardstick');
    git(user, 'push', '--quiet', 'origin', 'HEAD:refs/heads/main');
    const { metrics } = await call<ResultOf<'code.evaluate'>>('code.evaluate', { commit: evaluated, base });
    expect(metrics).toEqual({ size: 36 });
  });
});

test('nothing outside of the attempt is touched when its .git is lost, though a repository lies around the data folder', async () => {
  const script = `${fix}; rm -rf .git; git add -A && git commit -qm oops || echo refused`;
  const made = world({ agent: script });
  git(made.folder, 'init', '--quiet');
  const cache = mkdtempSync(join(tmpdir(), 'workledger-cache-'));
  inEnvironment('XDG_CACHE_HOME', cache);
  expect(await made.said('agent')).toContain('refused\n');
  expect(readdirSync(join(cache, 'workledger'))).toHaveLength(1);
  expect(git(made.folder, 'status', '--porcelain', '--', 'agent.mjs')).toBe('?? agent.mjs');
  expect(existsSync(join(made.dataFolder, 'worktrees'))).toBe(false);
});

test('a user who forbids bare repositories that are not named is served like everybody', async () => {
  const made = world({ agent: fix });
  writeFileSync(join(made.folder, '.gitconfig'), '[safe]\n\tbareRepository = explicit\n');
  inEnvironment('HOME', made.folder);
  const { commit } = await made.work('agent');
  expect((await made.call<ResultOf<'code.validate'>>('code.validate', { commit, base: made.base })).failure).toBeNull();
});

test('a submitted commit must be on a branch of the origin, or under the refs of its task: that it is there is not enough', async () => {
  const { call, user, bare, base, inRun } = world({});
  const commit = commitAsUser(user, { 'src/add.mjs': 'export const add = (a, b) => a + b;\n' }, 'Fix');
  const inspect = () => call<ResultOf<'code.inspect'>>('code.inspect', { commit, base });
  git(user, 'push', '--quiet', 'origin', 'HEAD:refs/pull/1/head');
  expect(git(bare, 'cat-file', '-t', commit)).toBe('commit');
  await expect(inspect()).rejects.toThrow(/is on no branch of the origin, and on no ref under refs\/workledger/);
  git(user, 'push', '--quiet', 'origin', `HEAD:refs/workledger/${inRun.taskId}/mine`);
  expect((await inspect()).diffStat.files).toBe(1);
});

test('the store that is lent holds what the origin’s branches and tags hold, and nothing of an attempt', async () => {
  const { work, dataFolder } = world({ agent: fix });
  const { commit } = await work('agent');
  const repositories = join(dataFolder, 'repositories');
  const [name = ''] = readdirSync(repositories);
  const all = (store: string) =>
    git(join(repositories, name, store), 'cat-file', '--batch-all-objects', '--batch-check');
  expect(all('origin.git')).not.toContain(commit);
  expect(all('work.git')).toContain(commit);
});

describe('what a repository needs beside git', () => {
  const attributes = (text: string) => {
    const made = world({ agent: `${fix}; cat a.up; printf 'more' > b.up` });
    const base = commitAsUser(made.user, { '.gitattributes': text, 'a.up': 'ABC\n' }, 'Filtered');
    git(made.user, 'push', '--quiet', 'origin', 'HEAD:refs/heads/main');
    return { ...made, base };
  };

  test('LFS that is not set up is told before an agent is paid', async () => {
    const made = attributes('*.up filter=lfs diff=lfs merge=lfs -text\n');
    await expect(made.call('code.prepare', {})).rejects.toMatchObject({
      retryable: false,
      failure: { step: 'prepare', reason: expect.stringMatching(/Git LFS.*git lfs install/) },
    });
  });

  test('a filter of the user’s own is used as in a clone: by the attempt, and by what is taken from it', async () => {
    const made = attributes('*.up filter=case\n');
    const config = '[filter "case"]\n\tclean = tr a-z A-Z\n\tsmudge = tr A-Z a-z\n\trequired = true\n';
    writeFileSync(join(made.folder, '.gitconfig'), config);
    inEnvironment('HOME', made.folder);
    await made.call('code.prepare', {});
    const { commit, output } = await made.work('agent', { parent: made.base });
    expect(await made.text(output.digest)).toBe('abc\n');
    expect(git(made.bare, 'show', `${commit}:b.up`)).toBe('MORE');
  });
});
