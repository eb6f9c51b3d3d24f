import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { repositorySchema } from '@workledger/shared/config/schema.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { LimitReached } from '@workledger/shared/outbound/failures.ts';
import { createOutages } from '@workledger/shared/resilience/outages/outages.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import type { GitLogins } from '../components/environment.ts';
import { failureOf } from '../components/failures.ts';
import { asGithubFailure } from '../components/github/classify.ts';
import type { Github } from '../components/github/github.ts';
import { defineComponent, guardComponents, inRun } from '../components/run-component.ts';
import { ComponentFailure } from '../engine/component.ts';
import { askRunners } from './ask-runners.ts';
import { SECRET, serveRunner } from './testing.ts';

const request = { taskId: newId(), runId: newId(), repository: 'sample' };
const URL_OF_SAMPLE = 'https://github.com/acme/sample.git';

const asking = defineComponent({
  ...{ request: inRun, result: z.unknown(), limits: { turns: { atOnce: () => 4 }, seconds: () => 60 } },
  perform: () => Promise.reject(new Error('performed by a runner')),
});

type Act = (logins: GitLogins | null | undefined, signal: AbortSignal) => Promise<unknown>;

/** One call in a runner that does this with what gives tokens to git there; sagas have this GitHub. */
async function world(act: Act, github: Pick<Github, 'isApp' | 'gitToken'> | null) {
  const runner = await serveRunner((_name, _request, { signal }, { gitLogins }) => act(gitLogins, signal));
  onTestFinished(() => runner.close());
  const { logger, text } = captureLog();
  const options = {
    ...{ urls: [runner.url], key: SECRET, logger, outages: createOutages(logger), github: github as Github | null },
    configuration: {
      repositories: [
        repositorySchema.parse({
          name: 'sample',
          url: '/here',
          github: 'acme/sample',
          test: ['true'],
          protectCi: false,
        }),
        repositorySchema.parse({ name: 'other', url: '/there', github: 'acme/other', test: ['true'] }),
      ],
      agents: [],
    },
    artefacts: { put: () => Promise.reject(new Error('keeps nothing')), get: () => Promise.resolve(null) },
    readTask: () => Promise.resolve({ title: 'Fix add', description: 'It subtracts.', words: null }),
  };
  const [component] = guardComponents({ asking }, options, askRunners(options));
  const call = () => component!.perform(request as never, { key: 'saga-1/asking/1', signal: new AbortController().signal }); // prettier-ignore
  return { call, logged: () => text() + JSON.stringify(runner.lines()) };
}

describe('what a runner asks for git', () => {
  test('is a token for the repository of its call, at the address that the runner has of it', async () => {
    const asked: unknown[] = [];
    const gitToken: Github['gitToken'] = ({ url, github, protectCi }, refused) => {
      asked.push({ url, github, protectCi, refused });
      return Promise.resolve(refused === null ? 'ghs_first' : 'ghs_next');
    };
    const { call, logged } = await world(
      async (logins, signal) => {
        const origin = { url: URL_OF_SAMPLE, github: 'acme/other', protectCi: true };
        const first = await logins!.gitToken(origin, null, signal);
        return [first, await logins!.gitToken(origin, first, signal), logins!.secrets()];
      },
      { isApp: true, gitToken },
    );
    expect(await call()).toEqual(['ghs_first', 'ghs_next', ['ghs_first', 'ghs_next']]);
    const of = { url: URL_OF_SAMPLE, github: 'acme/sample', protectCi: false };
    expect(asked).toEqual([
      { ...of, refused: null },
      { ...of, refused: 'ghs_first' },
    ]);
    expect(logged()).not.toContain('ghs_');
  });

  test.each(['https://ada:secret@github.com/acme/sample', 'ssh://git@github.com/acme/sample', '/srv/sample.git'])(
    'is nothing where git has another way: %s',
    async (url) => {
      const { call } = await world(
        async (logins, signal) => [
          await logins!.gitToken({ url, github: 'acme/sample', protectCi: true }, null, signal),
        ],
        { isApp: true, gitToken: () => Promise.reject(new Error('asked')) },
      );
      expect(await call()).toEqual([null]);
    },
  );

  test.each([
    ['no GitHub', null],
    ['a token of a person', { isApp: false, gitToken: () => Promise.resolve(null) }],
  ])('is nothing where sagas have %s, or are of the version before', async (_, github) => {
    const { call } = await world((logins) => Promise.resolve([logins ?? 'none']), github);
    expect(await call()).toEqual(['none']);
  });

  const refusal = (reason: string) =>
    new ComponentFailure(failureOf('github', reason), { retryable: false, fault: 'origin' });
  test.each([
    ['for good', refusal('not installed'), { retryable: false, fault: 'origin', message: 'github: not installed' }],
    [
      'for now',
      asGithubFailure('github', new LimitReached('later', new Date())) as Error,
      { retryable: true, fault: 'origin', message: 'github: later' },
    ],
  ])('fails as it fails where sagas ask, %s', async (_, error, told) => {
    const origin = { url: URL_OF_SAMPLE, github: 'acme/sample', protectCi: true };
    const { call } = await world((logins, signal) => logins!.gitToken(origin, null, signal), {
      isApp: true,
      gitToken: () => Promise.reject(error),
    });
    await expect(call()).rejects.toMatchObject(told);
  });
});
