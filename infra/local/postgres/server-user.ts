import { readFile } from 'node:fs/promises';

export type ServerUser = { readonly uid: number; readonly gid: number };

/** PostgreSQL refuses to run as root: then it runs as `nobody`. Null: as who we are. */
export async function serverUser(): Promise<ServerUser | null> {
  if (process.getuid?.() !== 0) return null;
  const users = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const [, uid = '65534', gid = '65534'] = /^nobody:[^:]*:(-?\d+):(-?\d+):/m.exec(users) ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}
