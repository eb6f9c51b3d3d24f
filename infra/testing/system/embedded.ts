import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from '@workledger/shared/client/client.ts';
import { healthAt, type Engine, type Part, type RunningSystem, type Settings } from './engine.ts';
import { storeOfProcesses } from './stores.ts';
import { embeddedPostgres } from '../servers/own-servers.ts';
import { afterFirstStart } from './first-start.ts';
import { openLog } from './logs.ts';
import { killAndWait } from '../processes/processes.ts';
import { startService, type Service } from './service.ts';
import { removeFolder, temporaryFolder } from '../processes/folder.ts';

/** Everything in one process, and a PostgreSQL of its own. */
export const embedded: Engine = {
  name: 'embedded',
  calmMilliseconds: 500,
  start: async (settings = {}) => {
    const folder = await temporaryFolder('system');
    const system = createSystem(folder, settings);
    await afterFirstStart('embedded', join(folder, 'data'));
    await system.restart().catch(async (error: unknown) => {
      await system.dispose();
      throw error;
    });
    return system;
  },
};

function createSystem(folder: string, first: Settings): RunningSystem {
  const configuration = join(folder, 'workledger.json');
  const data = join(folder, 'data');
  const postgres = embeddedPostgres(join(data, 'postgres'));
  let settings = first;
  let service: Service | undefined;
  let errors = '';

  async function kill9(...parts: readonly Part[]): Promise<void> {
    const server = parts.includes('storage') ? await postgres.processes() : [];
    const ours = parts.includes('service') ? (service?.processes() ?? []) : [];
    await killAndWait([...server, ...ours]);
    if (parts.includes('service')) await service?.kill9();
  }

  const restart: RunningSystem['restart'] = async (changed = settings) => {
    settings = changed;
    await service?.kill9();
    const whole = { logLevel: 'warn', ...settings, port: 0, dataFolder: 'data' };
    await writeFile(configuration, JSON.stringify(whole, null, 2));
    service = await startService('infra/local/start.ts', ['--config', configuration], (text) => (errors += text));
  };

  return {
    parts: ['service', 'storage'],
    folder,
    // The process ends with its PostgreSQL, and is started again by whoever runs it.
    stores: [storeOfProcesses('event-log', postgres.processes, 'SIGINT', () => restart())],
    health: () => healthAt(service?.url),
    client: createClient({
      url: () => service?.url ?? 'http://127.0.0.1:1',
      key: async () => (await readFile(join(data, 'admin-key'), 'utf8')).trim(),
    }),
    kill9,
    stop: async () => service?.stop(),
    restart,
    databaseUrl: () => postgres.url(),
    openLog: async () => openLog['embedded']!(await postgres.url()),
    errorOutput: () => errors,
    dispose: async () => {
      await kill9('service', 'storage');
      await removeFolder(folder);
    },
  };
}
