import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { commitAsUser, createUserRepository, git as userGit } from '@workledger/infra/testing/repository/git.ts';
import { checkoutAt, createCheckout } from './checkout.ts';
import { fetchOrigin } from './commits.ts';
import { type Mirror, openMirror } from './mirror.ts';
import { takeChange } from './take-change.ts';

let folder: string;
let mirror: Mirror;
let parent: string;
let made = 0;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'workledger-change-'));
  const user = join(folder, 'user');
  createUserRepository(user, { 'a.txt': 'one\n', '.gitignore': 'ignored/\n' });
  parent = commitAsUser(user, { 'b.txt': 'two\n', 'kept.orig': 'tracked\n' }, 'Second');
  mirror = await openMirror(join(folder, 'data'), user);
  await fetchOrigin(mirror, null);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What is taken when these lines of shell ran in a checkout whose history is `first`, `second`. */
async function taken(script: string, litter: readonly string[] = [], from = parent) {
  const checkout = checkoutAt(join(folder, 'data'), mirror, `own-${(made += 1)}`);
  await createCheckout(checkout, { commit: from, branch: 'main' });
  execFileSync('sh', ['-euc', script], { cwd: checkout.path, stdio: 'ignore' });
  const commit = await takeChange(checkout, {
    ...{ parent: from, message: 'Taken\n', maxBytes: 100_000, litter },
    inside: (args) => Promise.resolve(spawnSync('git', args, { cwd: checkout.path }).status),
  });
  return {
    isParent: commit === from,
    descends: userGit(mirror.gitFolder, 'merge-base', from, commit) === from,
    changed: userGit(mirror.gitFolder, 'diff', '--name-status', '--no-renames', from, commit)
      .split('\n')
      .filter(Boolean)
      .map((line) => line.replace('\t', ' ')),
  };
}

describe('history counts by its tree', () => {
  const added = ['A new.txt'];
  test.each([
    ['an amended commit', 'echo n >new.txt; git add .; git commit -q --amend -m Amended', added],
    ['a soft reset', 'git reset -q --soft HEAD~1; echo n >new.txt', added],
    ['a soft reset and a commit', 'git reset -q --soft HEAD~1; echo n >new.txt; git add .; git commit -qm x', added],
    ['an older commit', 'git reset -q --hard HEAD~1; echo n >new.txt', ['D b.txt', 'D kept.orig', ...added]],
    ['a branch without a past', 'git checkout -q --orphan o; echo n >new.txt; git add .; git commit -qm x', added],
    [
      'an interactive rebase',
      'echo n >new.txt; git add .; git commit -qm x; GIT_SEQUENCE_EDITOR="sed -i 2s/pick/fixup/" git rebase -qi HEAD~2',
      added,
    ],
    ['a detached HEAD', 'git checkout -q --detach; echo n >new.txt; git add .; git commit -qm x', added],
    ['another branch', 'git checkout -qb fix; echo n >new.txt; git add .; git commit -qm x', added],
    ['a stash beside the files', 'echo s >b.txt; git stash -q; echo n >new.txt', added],
    ['files in the index', 'echo n >new.txt; git add .', added],
    ['a commit and a file', 'echo 1 >b.txt; git commit -qam x; echo n >new.txt', [...added, 'M b.txt']],
  ])('%s', async (_, script, changed) => {
    const result = await taken(script);
    expect(result).toMatchObject({ isParent: false, descends: true });
    expect(result.changed.sort()).toEqual([...changed].sort());
  });

  test.each([
    ['an empty commit', 'git commit -q --allow-empty -m nothing'],
    ['a commit and its opposite', 'echo x >b.txt; git commit -qam x; git revert --no-edit HEAD'],
    ['all of it in a stash', 'echo x >b.txt; git stash -q'],
  ])('nothing: %s', async (_, script) => {
    expect((await taken(script)).changed).toEqual([]);
  });
});

describe('files count as they are, whatever an index says of them', () => {
  const later = 'sleep 1.1';
  test.each([
    ['as long as before', 'printf "TWO\\n" >b.txt'],
    ['as long as before, and later', `${later}; printf "TWO\\n" >b.txt`],
    [
      'as long and as old as before',
      `touch -r b.txt old; ${later}; printf "TWO\\n" >b.txt; touch -r old b.txt; rm old`,
    ],
    ['said to be unchanged', 'git update-index --assume-unchanged b.txt; echo x >b.txt'],
    ['said to be left out', 'git update-index --skip-worktree b.txt; echo x >b.txt'],
    ['by an index of another commit', 'git read-tree --empty; echo x >b.txt'],
  ])('%s', async (_, script) => {
    expect((await taken(script)).changed).toEqual(['M b.txt']);
  });

  test('also where the user’s git splits its indexes and trusts them', async () => {
    const trusting = ['ignoreStat = true', 'trustctime = false', 'checkStat = minimal'];
    usersGit('[core]', 'splitIndex = true', 'untrackedCache = true', ...trusting);
    expect((await taken('echo x >b.txt; echo n >new.txt')).changed).toEqual(['M b.txt', 'A new.txt']);
  });
});

/** Until the test ends. */
function usersGit(...lines: string[]): void {
  vi.stubEnv('HOME', folder);
  writeFileSync(join(folder, '.gitconfig'), `${lines.join('\n')}\n`);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(join(folder, '.gitconfig'));
  });
}

test('files whose filter makes of them what is tracked are no work, as those of git-lfs', async () => {
  usersGit('[filter "pointer"]', 'clean = sed s/.*/two/', 'smudge = cat');
  const pulled = 'echo "b.txt filter=pointer" >.gitattributes; echo content >b.txt; touch -d "1 hour ago" b.txt';
  expect((await taken(pulled)).changed).toEqual(['A .gitattributes']);
});

describe('litter', () => {
  const litter = `mkdir -p .claude/todos .codex sub/__pycache__; touch .aider.chat.history.md .claude/settings.local.json
    echo {} >.claude/todos/1; echo 1 >.codex/log; echo 1 >sub/__pycache__/x.pyc; echo 1 >b.txt.orig; echo 1 >sub/x.rej; touch sub/y~ .DS_Store`;

  test('alone is nothing', async () => {
    expect(await taken(litter)).toMatchObject({ isParent: true, changed: [] });
  });

  test('is left out beside work, also where the agent committed it, and counts for no limit', async () => {
    const large = 'head -c 200000 /dev/zero >big.orig';
    expect((await taken(`${litter}; ${large}; echo n >new.txt`)).changed).toEqual(['A new.txt']);
    expect((await taken(`${litter}; echo n >new.txt; git add -A; git commit -qm all`)).changed).toEqual(['A new.txt']);
  });

  test('is no litter what the parent tracks', async () => {
    expect((await taken('echo changed >kept.orig')).changed).toEqual(['M kept.orig']);
    expect((await taken('rm kept.orig')).changed).toEqual(['D kept.orig']);
    expect((await taken('echo x >kept.orig; git commit -qam x')).changed).toEqual(['M kept.orig']);
  });

  test('is what a repository names, and is work where it says so', async () => {
    expect((await taken('echo 1 >notes.tmp; echo n >new.txt', ['*.tmp'])).changed).toEqual(['A new.txt']);
    expect((await taken('echo 1 >x.orig; echo 1 >x.rej', ['!*.rej'])).changed).toEqual(['A x.rej']);
    expect((await taken('echo 1 >x.orig; mkdir .codex; echo 1 >.codex/x', ['!*'])).changed).toEqual([
      'A .codex/x',
      'A x.orig',
    ]);
  });
});

describe('a new link out of the repository is refused', () => {
  test.each([
    ['absolute', 'ln -s /etc/passwd out', 'leads out'],
    ['up', 'ln -s ../x out', 'leads out'],
    ['up from a folder', 'mkdir d; ln -s ../../x d/out', 'leads out'],
    ['by a link in the repository', 'ln -s . s; ln -s s/../x out', 'goes up again'],
    ['committed by the agent', 'ln -s /etc out; git add .; git commit -qm x', 'leads out'],
  ])('%s', async (_, script, reason) => {
    await expect(taken(script)).rejects.toThrow(reason);
  });

  test('one inside is not', async () => {
    expect((await taken('mkdir d; ln -s ../b.txt d/link; ln -s d/link link')).changed).toEqual(['A d/link', 'A link']);
  });
});

describe('a submodule', () => {
  const LINK = 'lib/sub';
  /** The parent, with a submodule whose commit is one that a program makes again: of no files, at a time that is told. */
  const made = `git init -q ${LINK}; cd ${LINK}; GIT_COMMITTER_DATE=2026-01-01T00:00:00Z git -c user.name=a -c user.email=a@b \
    commit -q --allow-empty -m x --date 2026-01-01T00:00:00Z; cd ../..`;
  let withLink: string;
  let linked: string;
  beforeAll(async () => {
    const user = join(folder, 'user');
    execFileSync('sh', ['-euc', made], { cwd: user, stdio: 'ignore' });
    linked = userGit(join(user, LINK), 'rev-parse', 'HEAD');
    userGit(user, 'update-index', '--add', '--cacheinfo', `160000,${linked},${LINK}`);
    userGit(user, 'commit', '-qm', 'With a submodule');
    withLink = userGit(user, 'rev-parse', 'HEAD');
    await fetchOrigin(mirror, null);
  });
  const takenFrom = (script: string) => taken(script, [], withLink);

  test('is looked into by no git of ours: what its settings name runs for nobody', async () => {
    const trap = join(folder, 'ran');
    const settings = `git -C ${LINK} config filter.x.clean 'touch ${trap}'; echo '* filter=x' >${LINK}/.gitattributes`;
    const files = `echo 1 >${LINK}/a; git -C ${LINK} add a; ${settings}; touch ${LINK}/a`;
    expect((await takenFrom(`${made}; ${files}; echo n >new.txt`)).changed).toEqual(['A new.txt']);
    expect(existsSync(trap)).toBe(false);
  });

  test.each([
    ['moved', `${made}; git -C ${LINK} -c user.name=a -c user.email=a@b commit -q --allow-empty -m y`, [`M ${LINK}`]],
    ['as it was', made, []],
    ['empty', '', []],
    ['taken away', `rm -r ${LINK}`, [`D ${LINK}`]],
    ['with files and no repository', `echo 1 >${LINK}/a`, []],
    ['a file in its place', `rm -r ${LINK}; echo 1 >${LINK}`, [`T ${LINK}`]],
    ['gone with its folder, for a file', 'rm -r lib; echo 1 >lib', ['A lib', `D ${LINK}`]],
    ['gone with its folder, for a link', 'rm -r lib; mkdir -p other/sub; ln -s other lib', ['A lib', `D ${LINK}`]],
  ])('%s', async (_, script, changed) => {
    expect((await takenFrom(script)).changed.sort()).toEqual(changed);
  });

  test.each(['lib/', 'sub', '*'])('is no trouble where %s is ignored', async (ignored) => {
    const { changed } = await takenFrom(`${made}; echo '${ignored}' >.gitignore; echo x >b.txt; rm kept.orig`);
    expect(changed).toEqual(['M .gitignore', 'M b.txt', 'D kept.orig']);
  });

  test('that an agent committed with its own notes is left out as they are', async () => {
    const notes = 'git worktree add -q .claude/worktrees/x; echo n >new.txt; git add -A; git commit -qm all';
    expect((await takenFrom(notes)).changed).toEqual(['A new.txt']);
    expect((await taken(notes)).changed).toEqual(['A new.txt']);
  });

  test('beside what was renamed, deleted, and made anew', async () => {
    const script = `${made}; rm a.txt; mkdir a.txt; echo 1 >a.txt/in; mv b.txt 'c "d".txt'; echo i >ignored; mkdir -p d/e; echo 1 >d/e/f`;
    expect((await takenFrom(script)).changed.sort()).toEqual(
      ['A "c \\"d\\".txt"', 'A a.txt/in', 'A d/e/f', 'A ignored', 'D a.txt', 'D b.txt'].sort(),
    );
  });
});
