import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { loadConfiguration } from '@workledger/shared/config/load.ts';
import type { Configuration } from '@workledger/shared/config/schema.ts';
import { standingConfiguration, webhookSecret } from '../demo/configuration.ts';

export type ChosenConfiguration = {
  readonly configuration: Configuration;
  /** Absolute. */
  readonly file: string;
  /** The demo can play here. */
  readonly isDemo: boolean;
};

/**
 * The user's configuration; where there is none, the demo's: its agents and repositories.
 * @param folder absolute: where the demo's configuration is written
 * @param demoFolder absolute: where the demo's repositories are
 */
export async function chooseConfiguration(
  path: string | undefined,
  folder: string,
  demoFolder: string,
): Promise<ChosenConfiguration> {
  const own = resolve(path ?? 'workledger.json');
  if (path !== undefined || existsSync(own)) {
    const { configuration } = await loadConfiguration(own);
    return { configuration, file: own, isDemo: false };
  }
  await webhookSecret(demoFolder);
  const configuration = standingConfiguration(demoFolder);
  const file = join(folder, 'workledger.json');
  await mkdir(folder, { recursive: true });
  await writeFile(file, `${JSON.stringify(configuration, null, 2)}\n`);
  return { configuration, file, isDemo: true };
}
