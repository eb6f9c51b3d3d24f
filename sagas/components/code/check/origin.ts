import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Repository } from '@workledger/shared/config/schema.ts';
import { classifyGit } from '../../git/classify.ts';
import { gitAtOrigin } from '../../git/at-origin.ts';
import { branchHead } from '../../git/commits.ts';
import { git, GitFailure } from '../../git/git.ts';
import type { Mirror } from '../../git/mirror.ts';
import { asCommit, branchRef } from '../../git/names.ts';
import { pushRef } from '../../git/push.ts';
import type { CodeAttempt } from '../code-component.ts';
import { BRANCH_IN_THE_WAY } from '../prepare.ts';
import { type CheckResult, oneLine } from './result.ts';

/** What the origin lets Workledger do: each is done and taken back, or, where that cannot be, tried without effect. */
export async function checkOrigin(subject: string, code: CodeAttempt, base: string): Promise<CheckResult[]> {
  const { repository, mirror, signal } = code;
  const name = `check-${randomBytes(6).toString('hex')}`;
  const results = await tryPush({ mirror, signal }, `${subject}: results`, `refs/workledger/${name}`, base);
  const branch = branchRef(`workledger/${name}`);
  const inTheWay = (await branchHead(mirror, 'workledger')) !== null;
  results.push(
    ...(inTheWay
      ? [{ subject: `${subject}: branches`, ok: false, detail: BRANCH_IN_THE_WAY }]
      : await tryPush({ mirror, signal }, `${subject}: branches`, branch, base)),
    ...(await checkMerge(subject, code, base)),
    ...(await checkProtectedPaths(subject, repository, mirror, base)),
  );
  return results;
}

type At = { readonly mirror: Mirror; readonly signal: AbortSignal };

/** Makes a ref of the origin, and removes it. */
async function tryPush({ mirror, signal }: At, subject: string, ref: string, to: string): Promise<CheckResult[]> {
  const push = (commit: string | null, expected: { commit: string } | 'none'): Promise<string | null> =>
    wordsOf(() => pushRef(mirror, { ref, to: commit, expected, signal }));
  const refused = await push(to, 'none');
  if (refused !== null) return [{ subject, ok: false, detail: refused }];
  const stays = await push(null, { commit: to });
  return stays === null
    ? [{ subject, ok: true, detail: `${ref.slice(0, ref.lastIndexOf('/'))}/… can be pushed and removed` }]
    : [{ subject, ok: false, detail: oneLine(`can be pushed, but not removed (remove ${ref} there): ${stays}`) }];
}

/** Why git refused, in one line; null: it did not. */
async function wordsOf(action: () => Promise<unknown>): Promise<string | null> {
  try {
    await action();
    return null;
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    const { command, exitCode, stderr } = error;
    return oneLine(classifyGit({ command: command.slice(1), exitCode, stderr }).reason);
  }
}

/** Whether the base branch would be moved, where it is to be: by no more than git's own rules. What hooks and hosts say then is not known before. */
async function checkMerge(subject: string, { repository, mirror, signal }: CodeAttempt, base: string) {
  const { baseBranch, merge } = repository;
  if (merge === 'never') return [];
  const about = { subject: `${subject}: merge` };
  const folder = localFolder(repository.url);
  if (folder !== null) {
    const at = { cwd: folder, allow: [0, 1, 128] };
    const bare = (await git(['rev-parse', '--is-bare-repository'], at)).stdout.toString('utf8').trim();
    const head = (await git(['symbolic-ref', '--quiet', '--short', 'HEAD'], at)).stdout.toString('utf8').trim();
    if (bare === 'false' && head === baseBranch) {
      const detail = `"${head}" is checked out in ${folder}, git does not move it: use a bare repository or "merge": "never"`;
      return [{ ...about, ok: false, detail }];
    }
  }
  const args = ['push', '--dry-run', '--no-verify', '--no-signed', '--', mirror.url];
  const refspec = `${asCommit(base)}:${branchRef(baseBranch)}`;
  const refused = await wordsOf(() => gitAtOrigin(mirror, [...args, refspec], { cwd: mirror.gitFolder, signal }));
  const detail = refused ?? `"${baseBranch}" can be moved forward; what its hooks and rules say then cannot be tried`;
  return [{ ...about, ok: refused === null, detail }];
}

function localFolder(url: string): string | null {
  try {
    const path = url.startsWith('file://') ? fileURLToPath(url) : url;
    return existsSync(path) ? path : null;
  } catch {
    return null;
  }
}

/** Protected paths that protect nothing are a slip of the pen, or of a file that is still to come. */
async function checkProtectedPaths(
  subject: string,
  { protectedPaths, baseBranch }: Repository,
  { gitFolder }: Mirror,
  base: string,
): Promise<CheckResult[]> {
  const about = { subject: `${subject}: protected paths` };
  const empty: string[] = [];
  for (const path of protectedPaths) {
    // The tree against nothing at all: pathspecs with magic count here as they do when paths are restored.
    const args = ['diff-tree', '-r', '--name-only', '-z', await emptyTree(gitFolder)];
    let found = '';
    const refused = await wordsOf(async () => {
      found = (await git([...args, asCommit(base), '--', path], { cwd: gitFolder })).stdout.toString('latin1');
    });
    if (refused !== null) return [{ ...about, ok: false, detail: `"${path}": ${refused}` }];
    if (found === '') empty.push(`"${path}"`);
  }
  const detail = `warning: nothing on ${baseBranch} matches ${empty.join(', ')}`;
  return empty.length === 0 ? [] : [{ ...about, ok: true, detail: oneLine(detail) }];
}

async function emptyTree(gitFolder: string): Promise<string> {
  const args = ['hash-object', '-w', '-t', 'tree', '--stdin'];
  return (await git(args, { cwd: gitFolder, stdin: '' })).stdout.toString('utf8').trim();
}
