import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { validate } from 'uuid';
import { noMacs, type KeyMacs } from './key-macs.ts';

const FORM = /^(wl_([0-9a-f]{32})_([A-Za-z0-9_-]{43}))(?:_([A-Za-z0-9_-]{32}))?$/;
const SECRET_BYTES = 32;

/** A new API key: what its owner gets once, and what is kept of it. */
type NewApiKey = {
  readonly key: string;
  readonly secretHash: string;
  /** Names the MAC key that it was made under; null: it has no MAC. */
  readonly macKey: string | null;
};

/**
 * Makes a key: `wl_<id without dashes>_<32 random bytes in base64url>_<MAC over all before it, 24 bytes in base64url>`.
 * @param macs of the system that is to accept it; left out: a key without a MAC, as they were before
 */
export function newApiKey(keyId: string, macs: KeyMacs = noMacs): NewApiKey {
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  const signed = `wl_${keyId.replaceAll('-', '')}_${secret}`;
  const mac = macs.sign(signed);
  return { key: mac === null ? signed : `${signed}_${mac}`, secretHash: hashSecret(secret), macKey: macs.name };
}

/** The parts of a key. */
export type ParsedApiKey = {
  readonly keyId: string;
  readonly secret: string;
  /** What the MAC is over. */
  readonly signed: string;
  /** Null: it has none. */
  readonly mac: string | null;
};

/** The parts of a key; null when it has not the form of one. */
export function parseApiKey(key: string): ParsedApiKey | null {
  const [, signed, digits, secret, mac = null] = FORM.exec(key) ?? [];
  if (signed === undefined || digits === undefined || secret === undefined) return null;
  const keyId = digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return validate(keyId) ? { keyId, secret, signed, mac } : null;
}

/** SHA-256, hex. A fast hash is enough: the secret has 256 random bits. */
export const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex');

/** Compares in constant time. */
export function secretMatches(secret: string, secretHash: string): boolean {
  const given = createHash('sha256').update(secret).digest();
  const kept = Buffer.from(secretHash, 'hex');
  return given.length === kept.length && timingSafeEqual(given, kept);
}

/** How to make what is missing; stands in every message about key files. */
export const KEY_FILE_REMEDY =
  'make one with "node --import tsx command-service/key-files/make-key-files.program.ts" (--help tells how)';

/**
 * The API key that a file holds.
 * @throws Error with one line that names the file and the remedy, never what is in it
 */
export async function readKeyFile(file: string): Promise<string> {
  const key = (await readFile(file, 'utf8').catch(cannotRead(file))).trim();
  if (parseApiKey(key) === null)
    throw new Error(`${file}: this is no API key: remove the file, and ${KEY_FILE_REMEDY}`);
  return key;
}

const cannotRead =
  (file: string) =>
  (error: NodeJS.ErrnoException): never => {
    const remedies: Readonly<Record<string, string>> = {
      ENOENT: `there is no such file: ${KEY_FILE_REMEDY}`,
      EACCES: 'this user may not read it: run as the user that made it, or change its owner',
      EISDIR: 'this is a folder: name the file in it',
    };
    throw new Error(`${file}: ${remedies[error.code ?? ''] ?? error.message}`, { cause: error });
  };
