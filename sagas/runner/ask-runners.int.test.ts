import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { ArtefactReference } from '@workledger/shared/contexts/values.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { repositorySchema } from '@workledger/shared/config/schema.ts';
import { createOutages } from '@workledger/shared/resilience/outages/outages.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { untilTrue } from '@workledger/infra/testing/processes/until.ts';
import type { Performer } from '../components/catalogue.ts';
import { cleanup } from '../components/code/prepare.ts';
import { failureOf } from '../components/failures.ts';
import { guardComponents } from '../components/run-component.ts';
import { diff } from '../components/code/change.ts';
import { ComponentFailure } from '../engine/component.ts';
import { askRunners, ranked } from './ask-runners.ts';
import { FRAMES, MAX_LINE_BYTES, referenceTo } from './frames.ts';
import { freePort, SECRET, serveRunner } from './testing.ts';

const request = { taskId: newId(), runId: newId(), repository: 'sample', commit: 'c', base: 'b' };
const diffStat = { files: 1, insertions: 1, deletions: 1 };
const patch = Buffer.from('+ new');

afterEach(() => vi.unstubAllEnvs());

async function runner(perform: Performer, finishMilliseconds?: () => number) {
  const served = await serveRunner(perform, finishMilliseconds);
  onTestFinished(() => served.close());
  return served;
}

/** What sagas have of these runners: an artefact store of its own, and what was put there in order. */
function sagas(urls: readonly string[], { key = SECRET, silenceMilliseconds = 2_000 } = {}) {
  const { logger, lines } = captureLog();
  const kept = new Map<string, Uint8Array>();
  const puts: string[] = [];
  const options = {
    urls,
    key,
    configuration: {
      repositories: [repositorySchema.parse({ name: request.repository, url: 'nowhere', test: ['true'] })],
      agents: [],
    },
    artefacts: {
      put: (bytes: Uint8Array, mediaType: string) => {
        const reference = referenceTo(bytes, mediaType);
        puts.push(reference.digest);
        kept.set(reference.digest, bytes);
        return Promise.resolve(reference);
      },
      get: (digest: string) => {
        const bytes = kept.get(digest);
        return Promise.resolve(bytes === undefined ? null : { bytes, mediaType: 'text/plain' });
      },
    },
    readTask: () => Promise.resolve({ title: 'Fix add', description: 'It subtracts.', words: null, more: 'not sent' }),
    logger,
    outages: createOutages(logger),
    silenceMilliseconds,
  };
  const components = guardComponents({ 'code.diff': diff, 'code.cleanup': cleanup }, options, askRunners(options));
  const call = (
    name = 'code.diff',
    asked: object = request,
    signal = new AbortController().signal,
    callKey = 'saga-1/diff/1',
  ): Promise<unknown> =>
    components.find((component) => component.name === name)!.perform(asked as never, { key: callKey, signal });
  const warnings = () => lines().filter(({ level, dependency }) => level === 'warn' && dependency === 'runner');
  return { call, kept, puts, warnings };
}

/** A performer that goes on until its call is ended. */
function hanging() {
  const begun: string[] = [];
  const ended: string[] = [];
  const perform: Performer = (_name, _request, { key, signal }) => {
    begun.push(key);
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        ended.push(key);
        reject(new ComponentFailure(failureOf('diff', 'stopped'), { retryable: true, fault: 'work' }));
      });
    });
  };
  return { begun, ended, perform };
}

const keeping: Performer = async (_name, _request, _context, { artefacts }) => ({
  diffStat,
  diff: await artefacts.put(patch, 'text/x-diff'),
});

describe('a call that a runner performs', () => {
  test('has the words of the task and the artefacts that its request names; what it keeps is kept by sagas', async () => {
    const log = randomBytes(700_000);
    const seen: unknown[] = [];
    const { url } = await runner(async (name, asked, { key }, own) => {
      const given = await own.artefacts.get((asked as unknown as { log: ArtefactReference }).log.digest);
      seen.push(name, key, await own.readTask('any'), Buffer.from(given!.bytes).equals(log));
      return keeping(name, asked, { key, signal: new AbortController().signal }, own);
    });
    const { call, kept, puts } = sagas([url]);
    kept.set(referenceTo(log, 'text/plain').digest, log);
    const result = await call('code.diff', { ...request, log: referenceTo(log, 'text/plain') });
    expect(seen).toEqual([
      'code.diff',
      'saga-1/diff/1',
      { title: 'Fix add', description: 'It subtracts.', words: null },
      true,
    ]);
    expect(result).toEqual({ diffStat, diff: referenceTo(patch, 'text/x-diff') });
    expect(puts).toEqual([referenceTo(patch, 'text/x-diff').digest]);
  });

  test('fails with all that the runner tells of it', async () => {
    const prompt = referenceTo(patch, 'text/markdown');
    const agent = { turns: 3, tokens: { input: 900, output: 40 }, session: null, isResumed: true };
    const failure = failureOf('work', 'exit code 1', { command: ['agent'], exitCode: 1, output: 'no' });
    const { url } = await runner(async (_name, _request, _context, { artefacts }) => {
      await artefacts.put(patch, 'text/markdown');
      throw new ComponentFailure(failure, { retryable: true, fault: 'work', costUsd: 0.25, prompt, agent });
    });
    await expect(sagas([url]).call()).rejects.toMatchObject({
      ...{ failure, retryable: true, fault: 'work', costUsd: 0.25, prompt, agent },
    });
  });

  test('is refused without the secret, and unread: nothing is performed', async () => {
    const { begun, perform } = hanging();
    const { url } = await runner(perform);
    const wrong = sagas([url], { key: '00'.repeat(32) });
    await expect(wrong.call()).rejects.toMatchObject({ name: 'RunnerAway', message: /RUNNER_KEY_FILE/ });
    for (const path of ['/calls', '/calls/stop'])
      expect((await fetch(`${url}${path}`, { method: 'POST', body: 'x' })).status).toBe(401);
    expect(begun).toEqual([]);
  });

  test.each([
    ['is no frame', '{"frame":"shell"}\n', 400],
    ['has no call', '', 400],
    ['has a line without an end', 'x'.repeat(MAX_LINE_BYTES + 1), 400],
  ])('whose request %s is refused', async (_, body, status) => {
    const { url } = await runner(keeping);
    const headers = { Authorization: `Bearer ${SECRET}`, 'Content-Type': FRAMES };
    expect((await fetch(`${url}/calls`, { method: 'POST', headers, body })).status).toBe(status);
  });

  test("is not believed where it names another task's artefact, or answers what the component does not", async () => {
    const stolen = referenceTo(Buffer.from('of another task'), 'text/x-diff');
    const thief = await runner(() => Promise.resolve({ diffStat, diff: stolen }));
    await expect(sagas([thief.url]).call()).rejects.toMatchObject({ retryable: false, message: /was not given/ });
    const liar = await runner(() => Promise.resolve({ diffStat: 'much' }));
    await expect(sagas([liar.url]).call()).rejects.toMatchObject({ retryable: false, message: /not what it promises/ });
  });
});

describe('a call that does not come to its end', () => {
  test('is ended in the runner when it is cancelled, before sagas go on', async () => {
    const { begun, ended, perform } = hanging();
    const { url } = await runner(perform);
    const cancel = new AbortController();
    const call = sagas([url]).call('code.diff', request, cancel.signal);
    await untilTrue(() => begun.length === 1);
    cancel.abort('cancelled');
    await expect(call).rejects.toThrow('stopped');
    expect(ended).toEqual(['saga-1/diff/1']);
  });

  test('is ended when its connection is lost', async () => {
    const { begun, ended, perform } = hanging();
    const { url } = await runner(perform);
    const connection = new AbortController();
    const headers = { Authorization: `Bearer ${SECRET}`, 'Content-Type': FRAMES };
    const call = { frame: 'call', component: 'code.diff', key: 'k', request, task: { title: '', description: '' } };
    const body = `${JSON.stringify(call)}\n`;
    await fetch(`${url}/calls`, { method: 'POST', headers, body, signal: connection.signal });
    await untilTrue(() => begun.length === 1);
    connection.abort();
    await untilTrue(() => ended.length === 1);
  });

  test('is ended when the same key comes again', async () => {
    const { begun, ended, perform } = hanging();
    const { url } = await runner(perform);
    const first = sagas([url])
      .call()
      .catch((error: unknown) => error);
    await untilTrue(() => begun.length === 1);
    const cancel = new AbortController();
    const second = sagas([url])
      .call('code.diff', request, cancel.signal)
      .catch((error: unknown) => error);
    await untilTrue(() => begun.length === 2);
    expect(ended).toHaveLength(1);
    expect(await first).toMatchObject({ retryable: true, fault: 'work' });
    cancel.abort();
    await second;
  });

  test('is ended by the one that came last, of several under one key that came while it was in hand', async () => {
    const { begun, ended, perform } = hanging();
    const { url } = await runner(perform);
    const cancel = new AbortController();
    const call = (): Promise<unknown> =>
      sagas([url])
        .call('code.diff', request, cancel.signal)
        .catch((error: unknown) => error);
    const calls = [call()];
    await untilTrue(() => begun.length === 1);
    calls.push(call(), call());
    await untilTrue(() => begun.length === 3);
    expect(ended).toHaveLength(2);
    cancel.abort();
    await Promise.all(calls);
    expect(ended).toHaveLength(3);
  });

  test('is given back by a runner that stops, which takes no new one: no try, and no reason to open a breaker', async () => {
    const { begun, perform } = hanging();
    let milliseconds = 600_000;
    const { url, drain } = await runner(perform, () => milliseconds);
    const { call, warnings } = sagas([url]);
    const given = call().catch((error: unknown) => error);
    await untilTrue(() => begun.length === 1);
    // As long as it has is asked now, not as it began.
    milliseconds = 0;
    drain();
    expect(await given).toMatchObject({ name: 'RunnerAway', message: /gave the call back/ });
    for (let time = 0; time < 8; time++)
      await expect(call()).rejects.toThrow(/no runner takes the call: .*503.*stopping/);
    expect(begun).toHaveLength(1);
    expect(warnings()).toHaveLength(1);
  });

  test('waits where no runner is there, and does not count as a failure', async () => {
    const { call } = sagas([`http://127.0.0.1:${await freePort()}`]);
    for (let time = 0; time < 8; time++) await expect(call()).rejects.toMatchObject({ name: 'RunnerAway' });
  });

  test("is nobody's fault where the runner says nothing any more", async () => {
    const { begun, perform } = hanging();
    const { url } = await runner(perform);
    const call = sagas([url], { silenceMilliseconds: 300 }).call();
    await expect(call).rejects.toMatchObject({
      retryable: true,
      fault: 'work',
      message: /lost: .*no answer within 300/,
    });
    expect(begun).toHaveLength(1);
  });
});

describe('of several runners', () => {
  test('one has all calls about a repository, and another where that one is away', async () => {
    const counts = [0, 0];
    const served = await Promise.all(
      counts.map((_, index) =>
        runner((...call) => {
          counts[index]! += 1;
          return keeping(...call);
        }),
      ),
    );
    const urls = served.map(({ url }) => url);
    const { call } = sagas(urls);
    for (let time = 0; time < 3; time++) await call();
    expect(counts.toSorted()).toEqual([0, 3]);
    const first = urls.indexOf(ranked(urls, 'sample')[0]!);
    expect(counts[first]).toBe(3);
    await served[first]!.close();
    await call();
    expect(counts[1 - first]).toBe(1);
  });

  test('repositories are spread, and only those of a runner that goes move', () => {
    const urls = ['http://a:1', 'http://b:1', 'http://c:1'];
    const names = Array.from({ length: 300 }, (_, index) => `repository-${index}`);
    const before = names.map((name) => ranked(urls, name)[0]);
    for (const url of urls) expect(before.filter((first) => first === url).length).toBeGreaterThan(60);
    names.forEach((name, index) => {
      const after = ranked(urls.slice(0, 2), name)[0];
      if (before[index] !== urls[2]) expect(after).toBe(before[index]);
    });
  });

  test('all that are there clean up, and their results become one', async () => {
    const one = await runner(() => Promise.resolve({ worktrees: 1 }));
    const two = await runner(() => Promise.resolve({ worktrees: 2 }));
    const away = `http://127.0.0.1:${await freePort()}`;
    const asked = { taskId: request.taskId, runId: request.runId, repository: 'sample' };
    expect(await sagas([one.url, away, two.url]).call('code.cleanup', asked)).toEqual({ worktrees: 3 });
    await expect(sagas([away]).call('code.cleanup', asked)).rejects.toMatchObject({ name: 'RunnerAway' });
  });
});
