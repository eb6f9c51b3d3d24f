import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { startKafka, type EmbeddedKafka, type EmbeddedKafkaOptions } from '../../local/kafka/embedded-kafka.ts';

/** Temporary folders and brokers on them, cleared away after each test of the file. */
export function ownKafkas() {
  const folders: string[] = [];
  const started: Promise<EmbeddedKafka>[] = [];
  afterEach(async () => {
    // A test that took too long may still be starting one.
    for (const kafka of await Promise.allSettled(started.splice(0)))
      if (kafka.status === 'fulfilled') await kafka.value.stop();
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
  });
  return {
    folder: async (): Promise<string> => {
      const folder = await mkdtemp(join(tmpdir(), 'workledger-kafka-'));
      await chmod(folder, 0o755);
      folders.push(folder);
      return folder;
    },
    start: (folder: string, more: Partial<EmbeddedKafkaOptions> = {}): Promise<EmbeddedKafka> => {
      const kafka = startKafka({ folder, log: () => undefined, ...more });
      started.push(kafka);
      return kafka;
    },
  };
}
