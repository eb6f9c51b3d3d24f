import { join, resolve } from 'node:path';
import { createLogger } from '@workledger/shared/telemetry/logger.ts';
import { agentNames, followSteps } from '../step-lines/printer.ts';
import { startSystem } from '../system.ts';
import { createDemoClient } from './client.ts';
import { demoConfiguration, knownRuns, noteFailing, sampleOf, webhookSecret } from './configuration.ts';
import { createSampleRepository } from './sample/create-sample-repository.ts';
import type { Stage } from './stage.ts';
import { word } from './show.ts';

/** Starts the whole system in this process, with one more sample repository. */
export async function openEmbedded(dataFolder: string, failing: boolean): Promise<Stage> {
  const folder = join(dataFolder, 'demo');
  const earlier = await knownRuns(folder);
  const run = (earlier.at(-1)?.run ?? 0) + 1;
  const { secret } = await webhookSecret(folder);
  if (failing) await noteFailing(folder, run);
  const sample = sampleOf(folder, run, failing);
  await createSampleRepository(sample.origin);

  const configuration = demoConfiguration(dataFolder, folder, [...earlier, { run, failing }]);
  const logger = createLogger({ service: 'workledger', level: configuration.logLevel }, process.stderr);
  const system = await startSystem({ configuration, folder, dataFolder, logger });
  return {
    client: createDemoClient({ commands: system.url, queries: system.url }, system.adminKey.key),
    url: 'http://127.0.0.1:8080',
    startCommand: dataFolder === resolve('.workledger') ? 'npm start' : `npm start -- --data ${word(dataFolder)}`,
    keyFile: system.adminKey.file,
    secret,
    sample,
    issueNumber: run,
    agentName: agentNames(configuration),
    follow: (_, print, signal) => followSteps(system.log, system.startedAt, print, signal),
    failed: system.failed.then((error) => Promise.reject(error)),
    stop: () => system.stop(),
  };
}
