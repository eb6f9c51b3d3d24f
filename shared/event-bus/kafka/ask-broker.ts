import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';
import type { KafkaAccess } from '../../config/server-access.ts';
import { openSocket } from './open-socket.ts';
import { CONNECTION_TIMEOUT } from './timing.ts';

/** What a request has behind its head. */
export type Question = { readonly key: number; readonly version: number; readonly body: Buffer };

type Ask = (question: Question) => Promise<Buffer>;

/**
 * Asks a broker what kafkajs cannot ask, over a connection of its own.
 * @param broker `host:port` @returns the answer behind its correlation id
 * @throws Error when it does not answer, does not prove who it is, or does not let us in
 */
export async function askBroker(
  broker: string,
  clientId: string,
  access: KafkaAccess,
  question: Question,
): Promise<Buffer> {
  const colon = broker.lastIndexOf(':');
  const address = { host: broker.slice(0, colon), port: Number(broker.slice(colon + 1)) };
  const client = Buffer.from(clientId);
  let connected = (): void => undefined;
  const connecting = new Promise<void>((resolve) => (connected = resolve));
  const socket = openSocket(address, access, connected);
  try {
    const failed = new Promise<never>((_, reject) => socket.once('error', reject));
    failed.catch(() => undefined);
    socket.setTimeout(CONNECTION_TIMEOUT, () => socket.destroy(new Error(`${broker}: no answer`)));
    await Promise.race([connecting, failed]);
    const chunks = socket[Symbol.asyncIterator]();
    let received = Buffer.alloc(0);
    const ask: Ask = async ({ key, version, body }) => {
      const head = [int16(key), int16(version), int32(0), int16(client.length), client];
      const length = head.reduce((sum, part) => sum + part.length, body.length);
      socket.write(Buffer.concat([int32(length), ...head, body]));
      while (received.length < 4 || received.length < 4 + received.readInt32BE()) {
        const next = await chunks.next();
        if (next.done === true) throw new Error(`${broker} closed the connection`);
        received = Buffer.concat([received, next.value as Buffer]);
      }
      const end = 4 + received.readInt32BE();
      const answer = received.subarray(8, end);
      received = received.subarray(end);
      return answer;
    };
    if (access.sasl !== null) await logIn(ask, access.sasl);
    return await ask(question);
  } finally {
    socket.destroy();
  }
}

const SASL_HANDSHAKE = 17;
const SASL_AUTHENTICATE = 36;

/** Source: https://kafka.apache.org/protocol#sasl_handshake */
async function logIn(ask: Ask, sasl: NonNullable<KafkaAccess['sasl']>): Promise<void> {
  const mechanism = Buffer.from(sasl.mechanism.toUpperCase());
  const shaken = await ask({
    key: SASL_HANDSHAKE,
    version: 1,
    body: Buffer.concat([int16(mechanism.length), mechanism]),
  });
  if (shaken.readInt16BE() !== 0) throw new Error(`Kafka does not let us in by ${mechanism.toString()}`);
  const say = async (text: string): Promise<string> => {
    const bytes = Buffer.from(text);
    const body = Buffer.concat([int32(bytes.length), bytes]);
    const answer = await ask({ key: SASL_AUTHENTICATE, version: 0, body });
    if (answer.readInt16BE() !== 0) throw refused();
    const start = 2 + 2 + Math.max(0, answer.readInt16BE(2));
    return answer.subarray(start + 4, start + 4 + answer.readInt32BE(start)).toString();
  };
  if (sasl.mechanism === 'plain') await say(`\0${sasl.username}\0${sasl.password}`);
  else await scram(say, sasl.mechanism === 'scram-sha-256' ? 'sha256' : 'sha512', sasl);
}

const refused = (): Error => new Error('Authentication failed: Kafka refuses the user or its password');

/** Less, and a false broker could guess passwords quickly. */
const LEAST_ITERATIONS = 4_096;
const MOST_ITERATIONS = 1_000_000;

/** Both sides prove that they know the password. Source: RFC 5802 */
async function scram(
  say: (text: string) => Promise<string>,
  hash: 'sha256' | 'sha512',
  { username, password }: { readonly username: string; readonly password: string },
): Promise<void> {
  const hmac = (key: Buffer, text: string): Buffer => createHmac(hash, key).update(text).digest();
  const nonce = randomBytes(24).toString('base64url');
  const first = `n=${username.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`;
  const challenge = await say(`n,,${first}`);
  const { r = '', s = '', i = '' } = attributesOf(challenge);
  const iterations = Number(i);
  if (!r.startsWith(nonce) || !(iterations >= LEAST_ITERATIONS && iterations <= MOST_ITERATIONS)) throw refused();
  const salted = pbkdf2Sync(password, Buffer.from(s, 'base64'), iterations, hash === 'sha256' ? 32 : 64, hash);
  const clientKey = hmac(salted, 'Client Key');
  const last = `c=biws,r=${r}`;
  const all = `${first},${challenge},${last}`;
  const signature = hmac(createHash(hash).update(clientKey).digest(), all);
  const proof = Buffer.from(clientKey.map((byte, index) => byte ^ signature[index]!));
  const { v = '' } = attributesOf(await say(`${last},p=${proof.toString('base64')}`));
  const [theirs, expected] = [Buffer.from(v, 'base64'), hmac(hmac(salted, 'Server Key'), all)];
  if (theirs.length !== expected.length || !timingSafeEqual(theirs, expected)) throw refused();
}

const attributesOf = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries(text.split(',').map((pair) => [pair.slice(0, 1), pair.slice(2)]));

const int16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
};

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
