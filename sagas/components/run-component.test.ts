import { agentSchema, repositorySchema } from '@workledger/shared/config/schema.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { ComponentFailure, Postponed } from '../engine/component.ts';
import { failureOf } from './failures.ts';
import { defineComponent, inRun, runComponents, type Call } from './run-component.ts';

type Perform = (request: { readonly count: number }, call: Call) => Promise<{ sum: number }>;

const request = { taskId: 'task', runId: 'run', repository: 'sample', count: 1 };

beforeEach(() => void vi.stubEnv('AGENT_SECRET', 'not-for-anybody'));
afterEach(() => vi.unstubAllEnvs());

function made(perform: Perform) {
  const captured = captureLog();
  const definition = defineComponent({
    request: inRun.extend({ count: z.number() }),
    result: z.object({ sum: z.number() }),
    limits: { turns: { atOnce: () => 1 }, seconds: () => 10 },
    perform,
  });
  const agents = [agentSchema.parse({ name: 'agent', command: ['true'], environment: ['AGENT_SECRET'] })];
  const repositories = [repositorySchema.parse({ name: 'sample', url: '/nowhere', test: ['true'] })];
  const [component] = runComponents(
    { 'sum.add': definition },
    {
      configuration: { repositories, agents },
      artefacts: { put: () => Promise.reject(new Error('keeps nothing')), get: () => Promise.resolve(null) },
      readTask: () => Promise.resolve({ title: '', description: '', words: null }),
      dataFolder: '/nowhere',
      logger: captured.logger,
    },
  );
  return {
    ...captured,
    call: (asked: object = request, signal = new AbortController().signal): Promise<unknown> =>
      component!.perform(asked as never, { key: 'saga-1/add', signal }),
  };
}

test('a plain function is called under its key, and its begin and end are logged', async () => {
  const { call, lines } = made(async ({ count }, { key, step }) => {
    expect([key, step]).toEqual(['saga-1/add', 'add']);
    return { sum: count + 1 };
  });
  expect(await call()).toEqual({ sum: 2 });
  const about = { component: 'sum.add', effect: 'saga-1/add', taskId: 'task', repository: 'sample' };
  expect(lines()).toMatchObject([
    { ...about, msg: 'component starts' },
    { ...about, msg: 'component is done', durationMs: expect.any(Number) as number },
  ]);
});

test('work for a repository that is not in the configuration any more waits: it is no failure, and nothing is done', async () => {
  const { call } = made(() => Promise.reject(new Error('not reached')));
  const error = await call({ ...request, repository: 'gone' }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(Postponed);
  expect(error).toMatchObject({ failure: { step: 'add', reason: expect.stringMatching(/"gone" is not in the conf/) } });
});

test('a request that is not what it takes is refused for good, and nothing is done', async () => {
  const { call } = made(() => Promise.reject(new Error('not reached')));
  const error = await call({ ...request, count: 'one' }).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ failure: { step: 'add' }, retryable: false, fault: 'work' });
  expect(String(error)).toMatch(/its request is not what it takes: [\s\S]*count/);
});

test("a result that is not what it promises is the component's failure", async () => {
  const { call } = made((() => Promise.resolve({ sum: 'two' })) as never);
  await expect(call()).rejects.toMatchObject({ retryable: false, fault: 'component' });
});

test('an error that it does not know becomes a failure that is tried again, and tells no secret, also not in the log', async () => {
  const { call, text } = made(() => Promise.reject(new Error('refused not-for-anybody')));
  const error = await call().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ComponentFailure);
  expect(error).toMatchObject({ message: 'add: refused [hidden]', retryable: true, fault: 'component' });
  expect(text()).toContain('refused [hidden]');
  expect(text()).not.toContain('not-for-anybody');
});

test('while its own faults have it rest, a call is refused; the faults of its work and a stop do not count', async () => {
  let stopping: AbortController | null = null;
  let fault: 'work' | 'component' = 'work';
  const { call } = made(async (_, { signal }) => {
    stopping?.abort();
    signal.throwIfAborted();
    throw new ComponentFailure(failureOf('add', `the ${fault} failed`), { retryable: true, fault });
  });
  for (let time = 0; time < 6; time++) await expect(call()).rejects.toThrow('the work failed');
  for (let time = 0; time < 6; time++) {
    stopping = new AbortController();
    await expect(call(request, stopping.signal)).rejects.toThrow('stopped before its end');
  }
  stopping = null;
  await expect(call()).rejects.toThrow('the work failed');
  fault = 'component';
  for (let time = 0; time < 20; time++) await call().catch(() => undefined);
  await expect(call()).rejects.toThrow(/rests; it is tried again/);
});
