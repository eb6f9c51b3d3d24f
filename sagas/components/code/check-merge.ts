import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Repository } from '@workledger/shared/config/schema.ts';
import { git } from '../git/git.ts';
import type { CheckResult } from './check-result.ts';

/** Whether git would let us move the base branch forward: not where a person has it checked out. Only told for `fast-forward`. */
export async function checkMerge(subject: string, repository: Repository): Promise<CheckResult[]> {
  const folder = localFolder(repository.url);
  if (repository.merge !== 'fast-forward' || folder === null) return [];
  const at = { cwd: folder, allow: [0, 1, 128] };
  const bare = (await git(['rev-parse', '--is-bare-repository'], at)).stdout.toString('utf8').trim();
  const head = (await git(['symbolic-ref', '--quiet', '--short', 'HEAD'], at)).stdout.toString('utf8').trim();
  const blocked = bare === 'false' && head === repository.baseBranch;
  const detail = blocked
    ? `"${head}" is checked out in ${folder}, git does not move it: use a bare repository or "merge": "never"`
    : `"${repository.baseBranch}" can be moved forward`;
  return [{ subject: `${subject}: merge`, ok: !blocked, detail }];
}

function localFolder(url: string): string | null {
  try {
    const path = url.startsWith('file://') ? fileURLToPath(url) : url;
    return existsSync(path) ? path : null;
  } catch {
    return null;
  }
}
