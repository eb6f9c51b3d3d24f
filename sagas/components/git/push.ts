import { gitAtOrigin } from './at-origin.ts';
import { GitFailure } from './git.ts';
import type { Mirror } from './mirror.ts';
import { asCommit } from './names.ts';

/** The ref in the origin is not what it should have been; nothing was changed. */
export class RefMoved extends Error {
  override name = 'RefMoved';
}

/** What the origin's ref must be for a change to happen: a commit, `none` (must not be there) or `any`. */
export type Expected = { readonly commit: string } | 'none' | 'any';

/**
 * Sets (or, with null, deletes) one ref of the origin, only if it is as expected. Deleting what is not there is done.
 * @throws RefMoved @throws GitFailure when the origin refuses, with its words
 */
export async function pushRef(
  mirror: Mirror,
  change: { ref: string; to: string | null; expected: Expected; signal?: AbortSignal },
): Promise<void> {
  const { ref, to, expected } = change;
  const force =
    expected === 'any'
      ? '--force'
      : `--force-with-lease=${ref}:${expected === 'none' ? '' : asCommit(expected.commit)}`;
  const refspec = `${to === null ? '' : asCommit(to)}:${ref}`;
  try {
    await gitAtOrigin(mirror, ['push', '--no-verify', '--no-signed', force, '--', mirror.url, refspec], {
      cwd: mirror.gitFolder,
      signal: change.signal,
    });
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    if (to === null && /remote ref does not exist/.test(error.stderr)) return;
    if (await moved(mirror, ref, expected)) throw new RefMoved(`${ref} moved in the origin`, { cause: error });
    throw error;
  }
}

async function moved(mirror: Mirror, ref: string, expected: Expected): Promise<boolean> {
  if (expected === 'any') return false;
  const now = await remoteRef(mirror, ref);
  return now !== (expected === 'none' ? null : expected.commit);
}

/** What a ref of the origin names now, asked there; null when there is none. @throws GitFailure */
export async function remoteRef(mirror: Mirror, ref: string, signal?: AbortSignal): Promise<string | null> {
  const found = await remoteRefs(mirror, ref, signal);
  return found.find((row) => row.ref === ref)?.commit ?? null;
}

/** Refs of the origin that fit a pattern, asked there. @throws GitFailure */
export async function remoteRefs(
  mirror: Mirror,
  pattern: string,
  signal?: AbortSignal,
): Promise<{ ref: string; commit: string }[]> {
  const args = ['ls-remote', '--quiet', '--', mirror.url, pattern];
  const { stdout } = await gitAtOrigin(mirror, args, { cwd: mirror.gitFolder, signal });
  return stdout
    .toString('utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split('\t'))
    .map(([commit = '', ref = '']) => ({ commit, ref }));
}

const AT_ONCE = 100;

/** Deletes refs of the origin, each only where it still names its commit. @returns how many were deleted, or gone already @throws GitFailure */
export async function deleteRefs(
  mirror: Mirror,
  refs: readonly { readonly ref: string; readonly commit: string }[],
  signal?: AbortSignal,
): Promise<number> {
  let deleted = 0;
  for (let at = 0; at < refs.length; at += AT_ONCE) {
    const some = refs.slice(at, at + AT_ONCE);
    const leases = some.map(({ ref, commit }) => `--force-with-lease=${ref}:${asCommit(commit)}`);
    const args = [
      'push',
      '--no-verify',
      '--no-signed',
      ...leases,
      '--',
      mirror.url,
      ...some.map(({ ref }) => `:${ref}`),
    ];
    const { exitCode } = await gitAtOrigin(mirror, args, { cwd: mirror.gitFolder, signal, allow: [0, 1] });
    deleted += exitCode === 0 ? some.length : await deleteEach(mirror, some, signal);
  }
  return deleted;
}

/** One by one, where not all could go: what somebody moved since stays. */
async function deleteEach(
  mirror: Mirror,
  refs: readonly { readonly ref: string; readonly commit: string }[],
  signal?: AbortSignal,
): Promise<number> {
  let deleted = 0;
  for (const { ref, commit } of refs)
    try {
      await pushRef(mirror, { ref, to: null, expected: { commit }, ...(signal && { signal }) });
      deleted += 1;
    } catch (error) {
      if (!(error instanceof RefMoved)) throw error;
    }
  return deleted;
}
