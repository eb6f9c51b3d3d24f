import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { configurationSchema, type Configuration } from '@workledger/shared/config/schema.ts';

export const SENDER = 'ada';
const agentProgram = (name: string): string => fileURLToPath(new URL(`agents/${name}-agent.mjs`, import.meta.url));

/** Owner of the sample repositories, as GitHub would have it. */
export const GITHUB_OWNER = 'workledger-demo';
/** GitHub's name for the demo's n-th sample repository. */
export const githubName = (run: number): string => `${GITHUB_OWNER}/sample-${run}`;
/** The demo's own: its agents take no other tasks, and no other agents take the demo's. */
const CAPABILITY = 'demo-code';
const CARELESS_CAPABILITY = 'careless-demo-code';

/** The runs that the demo's folder knows already, oldest first. */
export async function knownRuns(folder: string): Promise<{ readonly run: number; readonly failing: boolean }[]> {
  await mkdir(folder, { recursive: true });
  const names = await readdir(folder);
  const runs = names.flatMap((name) => /^sample-(\d+)\.git$/.exec(name)?.[1] ?? []).map(Number);
  return runs.sort((a, b) => a - b).map((run) => ({ run, failing: names.includes(`sample-${run}.failing`) }));
}

/** Notes a run before it begins, so that an interrupted one is known to the next. */
export const noteFailing = (folder: string, run: number): Promise<void> =>
  writeFile(join(folder, `sample-${run}.failing`), '');

/** The secret that the demo signs its delivery with; made once, for the owner's eyes only. */
export async function webhookSecret(folder: string): Promise<{ secret: string; file: string }> {
  const file = join(folder, 'webhook-secret');
  const existing = await readFile(file, 'utf8').catch(() => null);
  if (existing !== null) return { secret: existing.trim(), file };
  await mkdir(folder, { recursive: true });
  const secret = randomBytes(32).toString('hex');
  await writeFile(file, `${secret}\n`, { mode: 0o600 });
  return { secret, file };
}

/** What the agents' programs import lies beside them. */
const read = [fileURLToPath(new URL('agents', import.meta.url))];

/** What a user would write in `workledger.json` for the demo's two agents. */
export const demoAgents = [
  {
    name: 'demo-agent',
    command: [process.execPath, agentProgram('helpful')],
    capabilities: [CAPABILITY],
    capacity: 2,
    read,
  },
  {
    name: 'careless-demo-agent',
    command: [process.execPath, agentProgram('failing')],
    capabilities: [CARELESS_CAPABILITY],
    read,
  },
];

export type Sample = {
  readonly name: string;
  /** The bare repository. */
  readonly origin: string;
  /** GitHub's name for it. */
  readonly github: string;
  /** Worked on by the careless agent. */
  readonly failing: boolean;
};

/** A sample repository as a user would register it. */
const registration = ({ name, origin, github, failing }: Sample) => ({
  name,
  url: origin,
  github,
  trusted: [SENDER],
  capabilities: [failing ? CARELESS_CAPABILITY : CAPABILITY],
  test: [process.execPath, '--test'],
  evaluate: [process.execPath, 'benchmark.mjs'],
  evolve: failing
    ? null
    : { metric: 'operations', direction: 'minimize' as const, candidates: 2, generations: 3, patience: 1 },
  protectedPaths: ['test', 'benchmark.mjs'],
  merge: 'fast-forward' as const,
  limits: { timeoutSeconds: 60 },
});

/** The sample of the n-th run in this folder. */
export const sampleOf = (folder: string, run: number, failing: boolean): Sample => ({
  name: `sample-${run}`,
  origin: join(folder, `sample-${run}.git`),
  github: githubName(run),
  failing,
});

/** What a user would write in `workledger.json`, for the sample repositories and the demo's two agents. */
export const demoConfiguration = (
  dataFolder: string,
  folder: string,
  runs: readonly { readonly run: number; readonly failing: boolean }[],
): Configuration =>
  configurationSchema.parse({
    port: 0,
    dataFolder,
    logLevel: 'error',
    webhooks: { github: { secrets: [{ file: join(folder, 'webhook-secret') }] } },
    agents: demoAgents,
    repositories: runs.map(({ run, failing }) => registration(sampleOf(folder, run, failing))),
  });

/** The sample of a system that runs on: the same for every run. */
export const standingSample = (folder: string, failing: boolean): Sample => {
  const name = failing ? 'sample-failing' : 'sample';
  return { name, origin: join(folder, `${name}.git`), github: `${GITHUB_OWNER}/${name}`, failing };
};

/** What a system that runs on needs, so that the demo can play in it. */
export const standingConfiguration = (folder: string) =>
  configurationSchema.parse({
    webhooks: { github: { secrets: [{ file: join(folder, 'webhook-secret') }] } },
    agents: demoAgents,
    repositories: [false, true].map((failing) => registration(standingSample(folder, failing))),
  });
