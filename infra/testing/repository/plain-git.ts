import { execFileSync } from 'node:child_process';

/** A plain git, as a person at a keyboard would use it. @returns what it printed, trimmed */
export const git = (folder: string, ...args: readonly string[]): string =>
  execFileSync('git', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
