import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pause } from '@workledger/shared/resilience/pause.ts';
import { agentNames } from '../agent-names.ts';
import { createDemoClient, type DemoClient } from './client.ts';
import { standingConfiguration, standingSample } from './configuration.ts';
import { findServices } from './find-services.ts';
import { renewSampleRepository } from './sample/create-sample-repository.ts';
import type { Stage } from './stage.ts';

export type AgainstOptions = {
  /** The gateway's address, or those of command-service and query-service. */
  readonly addresses: readonly string[];
  /** Where the running system has the sample repositories and the webhook's secret. */
  readonly folder: string;
  readonly keyFile: string;
  readonly failing: boolean;
};

const LOOK_MILLISECONDS = 200;

/** Plays in a system that runs already, whose configuration has the demo's agents and repositories. */
export async function openAgainst({ addresses, folder, keyFile, failing }: AgainstOptions): Promise<Stage> {
  const key = await readKept(keyFile, 'the key of an administrator', '--key FILE');
  const secret = await readKept(join(folder, 'webhook-secret'), "the webhook's secret", '--folder DIR');
  const services = await findServices(addresses);
  const client = createDemoClient(services, key);
  const sample = standingSample(folder, failing);
  const issueNumber = (await lastIssue(client, sample.github)) + 1;
  await renewSampleRepository(sample.origin);
  return {
    client,
    url: services.queries,
    startCommand: null,
    keyFile,
    secret,
    sample,
    issueNumber,
    agentName: agentNames(standingConfiguration(folder)),
    follow: async (delivered, print, signal) => {
      const receipt = await Promise.race([delivered, once(signal, 'abort').then(() => null)]);
      const first = receipt === null ? [] : await client.eventsOf(`delivery-${receipt.id}`);
      first.forEach(print);
      let after = first.at(-1)?.position ?? 0n;
      while (!signal.aborted) {
        const events = await client.eventsAfter(after).catch(() => []);
        events.forEach(print);
        after = events.at(-1)?.position ?? after;
        if (events.length === 0) await pause(LOOK_MILLISECONDS, signal);
      }
    },
    failed: new Promise<never>(() => undefined),
    stop: () => Promise.resolve(),
  };
}

async function readKept(file: string, what: string, option: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    const { code = 'not readable' } = error as NodeJS.ErrnoException;
    throw new Error(`${file}: ${code} → start the system first, or name the file of ${what} with ${option}`);
  }
}

/** GitHub numbers issues from 1; a task's id comes from the number, so each run needs the next one. */
async function lastIssue(client: DemoClient, github: string): Promise<number> {
  const numbers = (await client.githubTasks()).flatMap(({ sourceReference }) => {
    const [repository, number] = sourceReference?.split('#') ?? [];
    return repository === github ? [Number(number)] : [];
  });
  return Math.max(0, ...numbers);
}
