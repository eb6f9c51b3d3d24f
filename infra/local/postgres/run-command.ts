import { execFile } from 'node:child_process';
import type { ServerUser } from './server-user.ts';

export type CommandOutcome = { readonly ok: boolean; readonly output: string };

/**
 * Runs a program of PostgreSQL to its end, as the server's user, and keeps what it printed.
 * @param user null: as who we are
 */
export function runCommand(program: string, args: readonly string[], user: ServerUser | null): Promise<CommandOutcome> {
  return new Promise((resolve) => {
    const options = { ...user, env: serverEnvironment(), cwd: '/', timeout: 120_000, maxBuffer: 10_000_000 };
    execFile(program, args, options, (error, stdout, stderr) => {
      const reason = error === null || stderr.trim() !== '' ? '' : error.message;
      resolve({ ok: error === null, output: `${stdout}${stderr}${reason}`.trim() });
    });
  });
}

/** Nothing of our own environment (PGDATA, secrets, locale) reaches the server. */
export const serverEnvironment = (): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '/usr/bin:/bin',
  LANG: 'C',
  LC_ALL: 'C',
  TZ: 'UTC',
});
