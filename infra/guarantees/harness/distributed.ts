import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from './client.ts';
import { embeddedPostgres } from './embedded-postgres.ts';
import type { Engine, Part, RunningSystem, Settings } from './engine.ts';
import { childrenOf, commandOf, killAndWait } from './processes.ts';
import { startService, type Service } from './service.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** Every service a process of its own; PostgreSQL (with the log), Kafka and the gateway as processes of this machine. */
export const distributed: Engine = {
  name: 'distributed',
  start: async (settings = {}) => {
    const folder = await temporaryFolder('distributed');
    const system = createSystem(folder, settings);
    await system.restart().catch(async (error: unknown) => {
      await system.dispose();
      throw error;
    });
    return system;
  },
};

/** What kill -9 of a storage ends: databases and the bus; all other children of the launcher are services. */
const isStorage = (pid: number): boolean =>
  commandOf(pid).some((word) => /(^|\/)postgres$|^kafka\.Kafka$/.test(word)) ||
  commandOf(pid)[0]?.startsWith('postgres:') === true;

function createSystem(folder: string, first: Settings): RunningSystem {
  const configuration = join(folder, 'workledger.json');
  const data = join(folder, 'data');
  const postgres = embeddedPostgres(join(data, 'distributed', 'postgres'));
  let settings = first;
  let launcher: Service | undefined;
  let errors = '';
  let kafka: readonly number[] = [];

  const services = (): number[] =>
    (launcher?.processes() ?? []).flatMap((pid) => [...childrenOf(pid).filter((child) => !isStorage(child)), pid]);
  const noteKafka = (): void => {
    kafka = (launcher?.processes() ?? []).flatMap(childrenOf).filter((pid) => commandOf(pid).includes('kafka.Kafka'));
  };

  async function kill9(...parts: readonly Part[]): Promise<void> {
    const servers = parts.includes('storage') ? [...(await postgres.processes()), ...kafka] : [];
    const ours = parts.includes('service') ? services() : [];
    await killAndWait([...servers, ...ours]);
    if (parts.includes('service')) await launcher?.kill9();
  }

  return {
    folder,
    client: createClient({
      url: () => launcher?.url ?? 'http://127.0.0.1:1',
      key: async () => (await readFile(join(data, 'distributed', 'admin-key'), 'utf8')).trim(),
    }),
    kill9,
    stop: async () => launcher?.stop(),
    restart: async (changed = settings) => {
      settings = changed;
      await kill9('service');
      await writeFile(configuration, JSON.stringify(settings, null, 2));
      const options = ['--native', '--config', configuration, '--data', data, '--port', '0'];
      launcher = await startService('infra/local/distributed/start.ts', options, (text) => (errors += text));
      noteKafka();
    },
    databaseUrl: () => postgres.url(),
    errorOutput: () => errors,
    dispose: async () => {
      await kill9('service', 'storage');
      await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}
