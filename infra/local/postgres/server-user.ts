import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';

export type ServerUser = { readonly uid: number; readonly gid: number };

/** PostgreSQL refuses to run as root: then it runs as `nobody`. Null: as who we are. */
export async function serverUser(): Promise<ServerUser | null> {
  if (process.getuid?.() !== 0) return null;
  const users = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const [, uid = '65534', gid = '65534'] = /^nobody:[^:]*:(-?\d+):(-?\d+):/m.exec(users) ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}

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
