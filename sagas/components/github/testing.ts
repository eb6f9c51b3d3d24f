import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Artefacts } from '@workledger/shared/artefacts/port.ts';
import { configurationSchema, repositorySchema } from '@workledger/shared/config/schema.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { startFakeGithub } from '@workledger/infra/testing/github/fake-github.ts';
import { onTestFinished } from 'vitest';
import type { Component } from '../../engine/component.ts';
import { createComponents, type ComponentName, type RequestOf, type ResultOf } from '../catalogue.ts';
import { openGithub, type GithubOptions } from './github.ts';

const REPOSITORY = 'acme/sample';
/** No pauses: what they are for is tested where they are. */
const QUICK: GithubOptions = { everyMilliseconds: 0, changeEveryMilliseconds: 0, backOffMs: { first: 1, most: 5 } };

type WorldOptions = {
  /** Default: a token. */
  readonly as?: 'token' | 'app';
  readonly github?: GithubOptions;
  readonly prefix?: string;
};

type Asked<Name extends ComponentName> = Omit<RequestOf<Name>, 'taskId' | 'runId' | 'repository'>;

/** A GitHub of the test's own, a repository on it, and the components that speak to it. */
export async function createGithubWorld({ as = 'token', github: options = {}, prefix = '' }: WorldOptions = {}) {
  const fake = await startFakeGithub({ prefix });
  const folder = await mkdtemp(join(tmpdir(), 'workledger-github-'));
  onTestFinished(async () => {
    await fake.close();
    await rm(folder, { recursive: true });
  });
  await writeFile(join(folder, 'token'), `${fake.token}\n`);
  await writeFile(join(folder, 'app.pem'), fake.privateKey);
  const repository = fake.addRepository(REPOSITORY);
  fake.app.installations.set('acme', 41);
  const login = as === 'token' ? { token: { file: 'token' } } : { app: { id: 7, key: { file: 'app.pem' } } };
  const configuration = configurationSchema.parse({
    github: { url: fake.url, ...login, logHosts: [fake.logs.host] },
    outbound: { privateHosts: [fake.host, fake.logs.host] },
    repositories: [
      repositorySchema.parse({
        name: 'sample',
        url: '/nowhere',
        test: ['true'],
        trusted: ['github:user-1', 'slack:U2'],
        github: REPOSITORY,
      }),
    ],
  });
  const captured = captureLog();
  const task = { title: 'Fix add', description: 'It subtracts, says @ada in #12.', words: null };
  const kept = new Map<string, string>();
  const artefacts: Artefacts = {
    put: (bytes, mediaType) => {
      const digest = createHash('sha256').update(bytes).digest('hex');
      kept.set(digest, Buffer.from(bytes).toString());
      return Promise.resolve({ digest, size: bytes.length, mediaType });
    },
    get: (digest) => {
      const text = kept.get(digest);
      return Promise.resolve(text === undefined ? null : { bytes: Buffer.from(text), mediaType: 'text/plain' });
    },
  };
  const start = async () => {
    const github = await openGithub(configuration, folder, { ...QUICK, ...options });
    const components = createComponents({
      configuration,
      artefacts,
      readTask: () => Promise.resolve(task),
      dataFolder: join(folder, 'data'),
      logger: captured.logger,
      github,
    });
    return { github: github!, components };
  };
  let running = await start();
  const run = { taskId: newId(), runId: newId(), repository: 'sample' };
  const call = <Name extends ComponentName>(
    name: Name,
    request: Asked<Name>,
    { signal = new AbortController().signal, ...of }: Partial<typeof run> & { readonly signal?: AbortSignal } = {},
  ): Promise<ResultOf<Name>> => {
    const component = running.components.find((one) => one.name === name) as Component<object, ResultOf<Name>>;
    return component.perform({ ...run, ...of, ...request }, { key: `saga-${run.runId}/${name}/1`, signal });
  };
  return {
    ...{ fake, folder, repository, run, task, call, configuration, kept, artefacts, log: captured },
    github: () => running.github,
    /** As after the process died: nothing is known any more. */
    restart: async (): Promise<void> => {
      running = await start();
    },
  };
}

export const pullOf = (change: Partial<Asked<'github.pull-request'>> = {}): Asked<'github.pull-request'> => ({
  ...{ branch: 'workledger/1', base: 'main', draft: false, metricsBefore: null, metrics: null },
  ...{ costUsd: null, tests: null, link: null, issue: null },
  ...change,
});

export const POST_PULL = /^\/repos\/acme\/sample\/pulls$/;
