import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../local/free-port.ts';
import { startKafka } from '../../local/kafka/embedded-kafka.ts';
import { removeFolder, temporaryFolder } from '../processes/folder.ts';
import type { Authority } from './authority.ts';

export type SecuredKafka = {
  /** `localhost:port`: lets in who knows the password, over TLS. */
  readonly brokers: string;
  /** The way without either, for what the test itself has to do. */
  readonly open: string;
  stop(): Promise<void>;
};

const MODULES = 'org.apache.kafka.common.security';

/** A broker of its own whose second door has TLS and users: `ada` by PLAIN; by SCRAM nobody yet. */
export async function startSecuredKafka(authority: Authority, password: string): Promise<SecuredKafka> {
  const folder = await temporaryFolder('secured-kafka');
  const { certificate, key } = await authority.issue('localhost');
  const keyStore = join(folder, 'broker.pem');
  await writeFile(keyStore, `${key}\n${certificate}\n`, { mode: 0o600 });
  const [port, open, controller] = [await freePort(), await freePort(), await freePort()];
  const kafka = await startKafka({
    folder,
    port: open,
    log: () => undefined,
    settings: {
      'controller.quorum.voters': `1@127.0.0.1:${controller}`,
      listeners: `PLAINTEXT://127.0.0.1:${open},SECURE://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
      'advertised.listeners': `PLAINTEXT://127.0.0.1:${open},SECURE://localhost:${port}`,
      'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL',
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': keyStore,
      'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-512',
      'listener.name.secure.plain.sasl.jaas.config': `${MODULES}.plain.PlainLoginModule required user_ada="${password}";`,
      'listener.name.secure.scram-sha-512.sasl.jaas.config': `${MODULES}.scram.ScramLoginModule required;`,
    },
  }).catch(async (error: unknown) => {
    await removeFolder(folder);
    throw error;
  });
  return {
    brokers: `localhost:${port}`,
    open: kafka.brokers,
    stop: async () => {
      await kafka.stop();
      await removeFolder(folder);
    },
  };
}

const ITERATIONS = 4_096;
const SCRAM_SHA_512 = 2;

/** The body of AlterUserScramCredentials, version 0. Source: https://kafka.apache.org/protocol */
export function scramCredentials(user: string, password: string): Buffer {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 64, 'sha512');
  const compact = (bytes: Buffer): Buffer => Buffer.concat([Buffer.of(bytes.length + 1), bytes]);
  const iterations = Buffer.alloc(4);
  iterations.writeInt32BE(ITERATIONS);
  const [none, one, noTags] = [Buffer.of(1), Buffer.of(2), Buffer.of(0)];
  const row = [compact(Buffer.from(user)), Buffer.of(SCRAM_SHA_512), iterations, compact(salt), compact(salted)];
  return Buffer.concat([noTags, none, one, ...row, noTags, noTags]);
}
