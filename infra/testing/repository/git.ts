import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A plain git, as a person at a keyboard would use it. @returns what it printed, trimmed */
export function git(folder: string, ...args: readonly string[]): string {
  const identity = ['-c', 'user.name=Person', '-c', 'user.email=person@example.org', '-c', 'init.defaultBranch=main'];
  const quiet = ['-c', 'maintenance.auto=false', '-c', 'advice.detachedHead=false'];
  return execFileSync('git', [...identity, ...quiet, ...args], { cwd: folder, encoding: 'utf8', stdio: 'pipe' }).trim();
}

/**
 * An empty repository, as `git init` makes it. (A process of git is dear where thousands are made: what is simple is done without.)
 * @param gitFolder its `.git`
 */
export function createGitFolder(gitFolder: string, branch: string): void {
  for (const path of ['objects/info', 'objects/pack', 'refs/heads', 'refs/tags'])
    mkdirSync(join(gitFolder, path), { recursive: true });
  writeFileSync(join(gitFolder, 'config'), configOf('\tbare = false\n\tlogallrefupdates = true\n'));
  writeFileSync(join(gitFolder, 'HEAD'), `ref: refs/heads/${branch}\n`);
}

const configOf = (more: string): string => `[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n${more}`;

/** A bare repository with all that the other one has. */
function copyAsBare(user: string, bare: string): void {
  cpSync(join(user, '.git'), bare, { recursive: true });
  for (const path of ['index', 'COMMIT_EDITMSG', 'logs']) rmSync(join(bare, path), { recursive: true, force: true });
  mkdirSync(join(bare, 'hooks'), { recursive: true });
  writeFileSync(join(bare, 'config'), configOf('\tbare = true\n[receive]\n\tautogc = false\n'));
}

export type Files = Readonly<Record<string, string | null>>;

function writeFiles(folder: string, files: Files): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    if (text !== null) writeFileSync(join(folder, path), text);
  }
}

/** A user's repository with a working tree and one commit on `main`. @returns that commit */
export function createUserRepository(folder: string, files: Files): string {
  createGitFolder(join(folder, '.git'), 'main');
  return commitAsUser(folder, files, 'First');
}

/** Writes and deletes (null) files and commits all in the user's working tree. @returns the commit */
export function commitAsUser(folder: string, files: Files, message: string): string {
  writeFiles(folder, files);
  for (const [path, text] of Object.entries(files)) if (text === null) git(folder, 'rm', '--quiet', '--', path);
  return commitAll(folder, message);
}

/** Commits all that lies in the user's working tree. @returns the commit */
export function commitAll(folder: string, message: string): string {
  git(folder, 'add', '--all');
  git(folder, 'commit', '--quiet', '--allow-empty', '-m', message);
  const head = readFileSync(join(folder, '.git/HEAD'), 'utf8').trim();
  return head.startsWith('ref: ')
    ? readFileSync(join(folder, '.git', head.slice('ref: '.length)), 'utf8').trim()
    : head;
}

/** A bare clone beside the user's repository, which pushes to it as `origin`. @returns its path */
export function createBareOrigin(userFolder: string): string {
  const bare = `${userFolder}-origin.git`;
  copyAsBare(userFolder, bare);
  const remote = `[remote "origin"]\n\turl = ${bare}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n`;
  appendFileSync(join(userFolder, '.git/config'), remote);
  return bare;
}

/** A bare repository, branch `trunk`, whose one file `check` is a shell script. @param name what it is called in the folder @returns its folder */
export function createCheckedOrigin(folder: string, name: string, check: string): string {
  const person = join(folder, `${name}-person`);
  createGitFolder(join(person, '.git'), 'trunk');
  writeFileSync(join(person, 'check'), check);
  chmodSync(join(person, 'check'), 0o755);
  commitAll(person, 'First');
  const origin = join(folder, `${name}.git`);
  copyAsBare(person, origin);
  return origin;
}
