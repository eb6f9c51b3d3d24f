import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A plain git, as a person at a keyboard would use it. @returns what it printed, trimmed */
export function git(folder: string, ...args: readonly string[]): string {
  const identity = ['-c', 'user.name=Person', '-c', 'user.email=person@example.org', '-c', 'init.defaultBranch=main'];
  return execFileSync('git', [...identity, ...args], { cwd: folder, encoding: 'utf8', stdio: 'pipe' }).trim();
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
  mkdirSync(folder, { recursive: true });
  git(folder, 'init', '--quiet');
  return commitAsUser(folder, files, 'First');
}

/** Writes and deletes (null) files and commits all in the user's working tree. @returns the commit */
export function commitAsUser(folder: string, files: Files, message: string): string {
  writeFiles(folder, files);
  for (const [path, text] of Object.entries(files)) if (text === null) git(folder, 'rm', '--quiet', '--', path);
  git(folder, 'add', '--all');
  git(folder, 'commit', '--quiet', '--allow-empty', '-m', message);
  return git(folder, 'rev-parse', 'HEAD');
}

/** A bare clone beside the user's repository, which pushes to it as `origin`. @returns its path */
export function createBareOrigin(userFolder: string): string {
  const bare = `${userFolder}-origin.git`;
  git(dirname(userFolder), 'clone', '--quiet', '--bare', userFolder, bare);
  git(userFolder, 'remote', 'add', 'origin', bare);
  return bare;
}

/** A bare repository, branch `trunk`, whose one file `check` is a shell script. @param name what it is called in the folder @returns its folder */
export function createCheckedOrigin(folder: string, name: string, check: string): string {
  const person = join(folder, `${name}-person`);
  mkdirSync(person);
  writeFileSync(join(person, 'check'), check);
  chmodSync(join(person, 'check'), 0o755);
  git(person, 'init', '--quiet', '--initial-branch', 'trunk');
  git(person, 'config', 'user.name', 'Person');
  git(person, 'config', 'user.email', 'person@example.org');
  git(person, 'add', '--all');
  git(person, 'commit', '--quiet', '-m', 'First');
  const origin = join(folder, `${name}.git`);
  git(folder, 'clone', '--quiet', '--bare', person, origin);
  return origin;
}
