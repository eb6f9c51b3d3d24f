import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient, type Client } from '@workledger/shared/client/client.ts';
import { afterFirstStart } from './first-start.ts';
import { startProgram, type Program } from '../processes/program.ts';

export type RunningSystem = {
  readonly program: Program;
  readonly url: string;
  /** The administrator's. */
  readonly key: string;
  readonly client: Client;
  readonly dataFolder: string;
  /** SIGTERM, as a service manager would. @returns the exit code */
  stop(): Promise<number | NodeJS.Signals>;
};

/**
 * Writes `workledger.json` into a folder and does `npm start` there, on a free port; a stop waits for no agent, unless that is configured.
 * @param configuration as a user would write it
 */
export async function startInFolder(
  folder: string,
  configuration: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string>> = {},
): Promise<RunningSystem> {
  await writeFile(
    join(folder, 'workledger.json'),
    JSON.stringify({ port: 0, drainSeconds: 0, ...configuration }, null, 2),
  );
  const dataFolder = join(folder, '.workledger');
  if (!existsSync(dataFolder)) await afterFirstStart('embedded', dataFolder);
  const program = startProgram('infra/local/start.ts', [], { cwd: folder, environment });
  const [, url = ''] = await program.until(/^Workledger is ready: (\S+)\n(?:.*\n)*? +data folder +.*\n/m);
  const key = (await readFile(join(dataFolder, 'admin-key'), 'utf8')).trim();
  const stop = (): Program['ended'] => {
    program.signal('SIGTERM');
    return program.ended;
  };
  return { program, url, key, client: createClient({ url: () => url, key: () => key }), dataFolder, stop };
}
