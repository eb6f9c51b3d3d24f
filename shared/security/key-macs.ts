import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/**
 * The server's own part of an API key: a MAC, so that what somebody made up is known as such without a look at the log. It says only
 * that this system made the key; what the key may do, and whether still, its stream tells.
 */
export type KeyMacs = {
  /** Names the MAC key that signs, for people and events; tells nothing of it. Null: none, keys have no MAC. */
  readonly name: string | null;
  /** Names of all MAC keys that are accepted, the one that signs first. */
  readonly names: readonly string[];
  /** 32 characters of base64url; null: there is no MAC key. */
  sign(text: string): string | null;
  /** The name of the MAC key that made it; null: none of these did. Compares in constant time. */
  madeUnder(text: string, mac: string): string | null;
};

const MAC_BYTES = 24;
const SECRET_BYTES = 32;
const MOST_SECRETS = 2;
const FORM = /^wlmac_([A-Za-z0-9_-]{43})$/;

/** A line of a MAC key file. */
export const newMacKey = (): string => `wlmac_${randomBytes(SECRET_BYTES).toString('base64url')}`;

/** Without a MAC key: keys are made without, and one that has a MAC is refused. */
export const noMacs: KeyMacs = { name: null, names: [], sign: () => null, madeUnder: () => null };

/**
 * @param macKeys one or two lines as `newMacKey` makes them: the first signs, both are accepted
 * @throws Error that tells what is wrong, and nothing of what was given
 */
export function createKeyMacs(macKeys: readonly string[]): KeyMacs {
  if (macKeys.length === 0 || macKeys.length > MOST_SECRETS)
    throw new Error(`there are ${macKeys.length} MAC keys: use one, or two while they are changed, one a line`);
  const known = macKeys.map((line, index) => {
    const [, secret] = FORM.exec(line) ?? [];
    if (secret === undefined) throw new Error(`line ${index + 1} is no MAC key: wlmac_ and 43 characters of base64url`);
    return derive(Buffer.from(secret, 'base64url'));
  });
  const [first] = known;
  return {
    name: first!.name,
    names: known.map(({ name }) => name),
    sign: (text) => macOf(first!.key, text).toString('base64url'),
    madeUnder: (text, mac) => {
      const given = Buffer.from(mac, 'base64url');
      return known.find(({ key }) => isSame(macOf(key, text), given))?.name ?? null;
    },
  };
}

/** What signs and what is told have nothing in common but the secret. */
const derive = (secret: Buffer): { readonly key: Buffer; readonly name: string } => {
  const part = (use: string, bytes: number): Buffer =>
    Buffer.from(hkdfSync('sha256', secret, '', `workledger api key ${use}`, bytes));
  return { key: part('mac', SECRET_BYTES), name: part('name', 4).toString('hex') };
};

const macOf = (key: Buffer, text: string): Buffer =>
  createHmac('sha256', key).update(text).digest().subarray(0, MAC_BYTES);

const isSame = (made: Buffer, given: Buffer): boolean => made.length === given.length && timingSafeEqual(made, given);

/**
 * The MAC keys of a file, one or two lines.
 * @throws Error with one line that names the file and what to do, never what is in it
 */
export async function readMacKeys(file: string): Promise<KeyMacs> {
  try {
    const text = await readFile(file, 'utf8');
    return createKeyMacs(text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()])));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const remedy = 'give all instances of command-service and query-service the same file, readable by their user';
    throw new Error(`${file}: MAC keys of API keys cannot be read: ${reason}: ${remedy}`, { cause: error });
  }
}
