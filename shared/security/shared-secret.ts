import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Problem } from '../http/problem.ts';
import type { Authenticate } from '../http/mount.ts';
import type { Role } from '../contexts/agent/key/events.ts';
import { hashSecret, secretMatches } from './api-key.ts';

/** 32 random bytes. */
const FORM = /^[0-9a-f]{64}$/;
const SCHEME = /^Bearer +(\S+)$/i;

/**
 * Makes a file with a secret that two services share, for its owner's eyes only (mode 0600), unless there is one.
 * @returns whether it was made
 */
export async function makeSecretFile(file: string): Promise<boolean> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  try {
    await writeFile(file, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** @throws Error with one line that names the file and the remedy, never what is in it */
export async function readSecretFile(file: string): Promise<string> {
  const secret = await readFile(file, 'utf8').then(
    (text) => text.trim(),
    (error: NodeJS.ErrnoException) => {
      throw new Error(`${file}: ${error.code ?? 'cannot be read'}: ${REMEDY}`, { cause: error });
    },
  );
  if (!FORM.test(secret)) throw new Error(`${file}: this is no shared secret: ${REMEDY}`);
  return secret;
}

const REMEDY = 'make it with "umask 077; openssl rand -hex 32 > FILE", readable for both services';

/** Lets in who knows the secret, as this role; compares in constant time. @throws Problem `unauthenticated` */
export function authenticateBySecret(secret: string, actor: string, role: Role): Authenticate {
  const hash = hashSecret(secret);
  return (authorization) => {
    const [, given] = SCHEME.exec(authorization ?? '') ?? [];
    if (given === undefined || !secretMatches(given, hash))
      throw new Problem('unauthenticated', 'send "Authorization: Bearer <the shared secret>"', {
        headers: { 'WWW-Authenticate': 'Bearer realm="workledger"' },
      });
    return { keyId: actor, role, agentId: null, actor, repositories: null, teams: [] };
  };
}
