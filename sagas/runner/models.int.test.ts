import { z } from 'zod';
import { describe, expect, onTestFinished, test } from 'vitest';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { repositorySchema } from '@workledger/shared/config/schema.ts';
import { EmbeddingsFailed, type Embeddings } from '@workledger/shared/embeddings/port.ts';
import { createOutages } from '@workledger/shared/resilience/outages/outages.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { untilTrue } from '@workledger/infra/testing/processes/until.ts';
import type { Performer } from '../components/catalogue.ts';
import { BudgetSpent, type ChatAsked, type Models } from '../components/models/models.ts';
import { ModelRefused } from '../components/models/providers.ts';
import { LimitReached, NotAllowed, TargetAway } from '@workledger/shared/outbound/failures.ts';
import { defineComponent, guardComponents, inRun } from '../components/run-component.ts';
import { askRunners } from './ask-runners.ts';
import { SECRET, serveRunner } from './testing.ts';

const request = { taskId: newId(), runId: newId(), repository: 'sample' };
const SCOPE = `${request.runId}/candidate-1.1`;
const used = { inputTokens: 10, outputTokens: 2, costUsd: 0.5 };

const asking = defineComponent({
  ...{ request: inRun, result: z.unknown(), limits: { turns: { atOnce: () => 4 }, seconds: () => 60 } },
  perform: () => Promise.reject(new Error('performed by a runner')),
  models: () => ['fast', 'not configured'],
  budgetUsd: () => 1.5,
});

/** A runner whose component does this with the models of its call, and sagas that have two of them. */
async function world(
  act: (models: Models, signal: AbortSignal, embeddings: Embeddings | null | undefined) => Promise<unknown>,
  chat: Models['chat'],
) {
  const perform: Performer = (_name, _request, { signal }, { models, embeddings }) => act(models!, signal, embeddings);
  const runner = await serveRunner(perform);
  onTestFinished(() => runner.close());
  const asked: ChatAsked[] = [];
  const models: Models = {
    names: ['fast', 'dear'],
    idOf: (model) => `${model}-id`,
    chat: (one) => {
      asked.push(one);
      return chat(one);
    },
    spent: (scope, paidFor) => Promise.resolve({ ...used, calls: scope === SCOPE && paidFor === 'call-1' ? 1 : 7 }),
    secrets: () => ['sk-1'],
  };
  const { logger } = captureLog();
  const repository = repositorySchema.parse({ name: request.repository, url: 'nowhere', test: ['true'] });
  const embeddings: Embeddings = {
    ...{ model: 'small', dimensions: 2, batch: 16 },
    embed: (texts) =>
      texts.includes('bad')
        ? Promise.reject(new EmbeddingsFailed('not today'))
        : Promise.resolve(texts.map(({ length }) => ({ vector: Int8Array.of(length, -127), scale: 0.5 }))),
  };
  const options = {
    ...{
      embeddings,
      urls: [runner.url],
      key: SECRET,
      models,
      logger,
      outages: createOutages(logger),
      silenceMilliseconds: 2_000,
    },
    configuration: { repositories: [repository], agents: [] },
    artefacts: { put: () => Promise.reject(new Error('nothing is kept')), get: () => Promise.resolve(null) },
    readTask: () => Promise.resolve({ title: 'T', description: '', words: null }),
  };
  const [component] = guardComponents({ 'code.asking': asking }, options, askRunners(options));
  const call = (signal = new AbortController().signal): Promise<unknown> =>
    component!.perform(request as never, { key: 'call-1', signal });
  return { call, asked };
}

const question = (words: string, signal: AbortSignal, more: Partial<ChatAsked> = {}): ChatAsked => ({
  request: { messages: [{ role: 'user', content: words }] },
  ...{ model: 'fast', scope: SCOPE, number: 0, paidFor: 'somebody else', budgetUsd: 2, signal, ...more },
});

describe('the models of a call that a runner performs', () => {
  test('are those that its component asks, asked by sagas, many at once, and paid for by the call, within its budget', async () => {
    const waiting: (() => void)[] = [];
    const { call, asked } = await world(
      async (models, signal) => {
        const words = ['one', 'two', 'three'];
        const answers = await Promise.all(
          words.map((word) => models.chat(question(word, signal, { together: 'sample', mayReuse: true }))),
        );
        const spent = await Promise.all([models.spent(SCOPE, 'call-1'), models.spent(SCOPE)]);
        const { names } = models;
        return {
          names,
          id: models.idOf('fast'),
          secrets: models.secrets(),
          answers,
          calls: spent.map(({ calls }) => calls),
        };
      },
      async ({ request: { messages } }) => {
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
          // The first is answered when the last has been asked.
          if (waiting.length === 3) waiting.toReversed().forEach((go) => go());
        });
        return { ...used, text: `to ${String(messages[0]?.content)}` };
      },
    );
    expect(await call()).toEqual({
      ...{ names: ['fast'], id: 'fast-id', secrets: [], calls: [1, 7] },
      answers: ['one', 'two', 'three'].map((word) => ({ ...used, text: `to ${word}` })),
    });
    expect(asked).toHaveLength(3);
    for (const { paidFor, scope, budgetUsd, together, mayReuse } of asked)
      expect([paidFor, scope, budgetUsd, together, mayReuse]).toEqual(['call-1', SCOPE, 1.5, 'sample', true]);
  });

  test('have beside them what computes what texts mean, where sagas have it', async () => {
    const { call } = await world(
      async (_models, signal, embeddings) => {
        const made = await embeddings!.embed(['one', 'four'], { signal, timeoutMs: 5_000 });
        const failed = await embeddings!.embed(['bad'], { signal }).catch((error: unknown) => error);
        const { model, dimensions, batch } = embeddings!;
        return {
          ...{ model, dimensions, batch, made: made.map(({ vector, scale }) => [...vector, scale]) },
          failed: failed instanceof EmbeddingsFailed && failed.message,
        };
      },
      () => Promise.reject(new Error('nobody asks')),
    );
    expect(await call()).toEqual({
      ...{ model: 'small', dimensions: 2, batch: 16, failed: 'not today' },
      made: [
        [3, -127, 0.5],
        [4, -127, 0.5],
      ],
    });
  });

  test('are no others, and no other run pays', async () => {
    const { call, asked } = await world(
      async (models, signal) => {
        const asks = [{ model: 'dear' }, { scope: `${newId()}/candidate-1.1` }];
        const refused = await Promise.allSettled(asks.map((more) => models.chat(question('more', signal, more))));
        const spent = await Promise.allSettled([models.spent('of others')]);
        return [...refused, ...spent].map((one) => one.status === 'rejected' && one.reason instanceof NotAllowed);
      },
      () => Promise.resolve({ ...used, text: '' }),
    );
    expect(await call()).toEqual([true, true, true]);
    expect(asked).toEqual([]);
  });

  test.each([
    ['money', new BudgetSpent('over its budget'), { name: 'BudgetSpent', message: 'over its budget' }],
    ['a refusal', new ModelRefused('no', 401), { name: 'ModelRefused', status: 401 }],
    ['a limit', new LimitReached('later', new Date(0)), { name: 'LimitReached', until: '1970-01-01T00:00:00.000Z' }],
    ['silence', new TargetAway('away', { mayHaveHappened: false }), { name: 'TargetAway' }],
    ['what nobody foresaw', new TypeError('odd'), { name: 'TargetAway', message: 'odd' }],
  ])('fail as they fail where sagas ask: %s', async (_what, error, told) => {
    const { call } = await world(
      (models, signal) =>
        models.chat(question('one', signal)).catch((caught: unknown) => {
          const { name, message, status, until } = caught as ModelRefused & LimitReached;
          return { name, message, status, until };
        }),
      () => Promise.reject(error),
    );
    expect(await call()).toMatchObject(told);
  });

  test('end with the call', async () => {
    const stop = new AbortController();
    const { call, asked } = await world(
      (models, signal) => models.chat(question('one', signal)),
      ({ signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('over')))),
    );
    const called = call(stop.signal);
    await untilTrue(() => Promise.resolve(asked.length === 1));
    stop.abort(new Error('nobody wants it any more'));
    await expect(called).rejects.toThrow();
  });
});
