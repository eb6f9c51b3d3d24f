import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pause } from '@workledger/shared/resilience/pause.ts';
import { agentNames } from '../step-lines/printer.ts';
import { createDemoClient, type DemoClient, type Addresses } from './client.ts';
import { standingConfiguration, standingSample } from './configuration.ts';
import { renewSampleRepository } from './sample/create-sample-repository.ts';
import type { Stage } from './stage.ts';

type AgainstOptions = {
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
      for (const event of first) print(event);
      let after = first.at(-1)?.position ?? 0n;
      while (!signal.aborted) {
        const events = await client.eventsAfter(after).catch(() => []);
        for (const event of events) print(event);
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

type OpenApi = { readonly paths?: Readonly<Record<string, Readonly<Record<string, unknown>>>> };

/**
 * Of one address: it stands in front of everything. Of several: asks each what it answers.
 * @throws Error when nobody answers there, or none of them is the service that is needed
 */
export async function findServices(addresses: readonly string[]): Promise<Addresses> {
  const urls = addresses.map((address) => address.replace(/(?<!\/)\/+$/, ''));
  const [first = '', ...others] = urls;
  const apis = await Promise.all(urls.map(async (url) => ({ url, paths: (await describe(url)).paths ?? {} })));
  if (others.length === 0) return { commands: first, queries: first };
  const commands = apis.find(({ paths }) => paths['/api/v1/webhooks/github']?.['post'] !== undefined);
  const queries = apis.find(({ paths }) => paths['/api/v1/tasks']?.['get'] !== undefined);
  if (commands === undefined || queries === undefined)
    throw new Error(`${urls.join(', ')}: ${commands === undefined ? 'command' : 'query'}-service is not among them`);
  return { commands: commands.url, queries: queries.url };
}

async function describe(url: string): Promise<OpenApi> {
  try {
    const answer = await fetch(`${url}/api/v1/openapi.json`);
    if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
    return (await answer.json()) as OpenApi;
  } catch (error) {
    const { cause, message } = error as Error & { cause?: Error };
    throw new Error(
      `${url}: no Workledger answers there (${cause?.message ?? message}) → start it, or mend --against`,
      {
        cause: error,
      },
    );
  }
}
