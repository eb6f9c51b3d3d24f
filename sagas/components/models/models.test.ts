import { afterEach, describe, expect, it } from 'vitest';
import { startScriptedModel, type Scripted } from '@workledger/infra/testing/models/scripted-model.ts';
import { modelFaults, modelSchema } from '@workledger/shared/config/models.ts';
import { until } from '@workledger/infra/testing/processes/until.ts';
import type { AnswerKey, Answers, KeptAnswer } from './answers.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import type { PerformContext } from '../../engine/component.ts';
import { createModelAnswer } from './answer.ts';
import { openEndpoint } from '../sandbox/endpoint.ts';
import { chatHandler } from './chat-handler.ts';
import { BudgetSpent, createModels, digestOf } from './models.ts';
import { openModels } from './providers.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => void (await Promise.all(closers.splice(0).map((close) => close()))));

/** Answers in memory. */
function rememberAnswers(failures = 0): Answers & { readonly kept: Map<string, KeptAnswer & { paidFor: string }> } {
  const kept = new Map<string, KeptAnswer & { paidFor: string; scope: string }>();
  let left = failures;
  const name = (key: AnswerKey): string => JSON.stringify([key.scope, key.digest, key.number]);
  return {
    kept,
    find: async (key) => {
      const { text, inputTokens, outputTokens, costUsd } = kept.get(name(key)) ?? {};
      if (text === undefined) return null;
      return { text, inputTokens: inputTokens ?? 0, outputTokens: outputTokens ?? 0, costUsd: costUsd ?? 0 };
    },
    findSame: async ({ digest }) => {
      const found = [...kept].find(([name]) => name.includes(digest))?.[1];
      return found === undefined ? null : { text: found.text, inputTokens: 0, outputTokens: 0, costUsd: 0 };
    },
    keep: async (key, answer) => {
      if (left-- > 0) throw new Error('the database is away');
      kept.set(name(key), { ...answer, scope: key.scope });
    },
    spent: async (scope, paidFor) => {
      const all = [...kept.values()].filter((one) => one.scope === scope && (paidFor ?? one.paidFor) === one.paidFor);
      const sum = (of: (one: KeptAnswer) => number): number => all.reduce((so, one) => so + of(one), 0);
      return {
        calls: all.length,
        inputTokens: sum((one) => one.inputTokens),
        outputTokens: sum((one) => one.outputTokens),
        costUsd: sum((one) => one.costUsd),
      };
    },
    forgetOld: async () => undefined,
  };
}

async function world(script: (number: number) => Scripted | Promise<Scripted>, answers = rememberAnswers()) {
  const model = await startScriptedModel((_, number) => script(number));
  closers.push(() => model.stop());
  const configured = modelSchema.parse({ name: 'fast', url: model.url, model: 'fast-1', inputUsd: 1, outputUsd: 10 });
  const outbound = { allowHosts: [], privateHosts: [model.host] };
  const providers = await openModels({ models: [configured], outbound }, '/', { backOffMs: { first: 1, most: 2 } });
  const logger = { warn: () => undefined };
  const create = () => createModels(providers, answers, { logger, waitMilliseconds: 1 });
  const asked = (content = 'hello', more: object = {}) => ({
    ...{ model: 'fast', request: { messages: [{ role: 'user', content }] }, scope: 'run', number: 0 },
    ...{ paidFor: 'call-1', budgetUsd: null, signal: new AbortController().signal, ...more },
  });
  return { model, providers, answers, create, models: create(), asked };
}
const hello = (): Scripted => ({ text: 'hello' });

describe('a model that is asked by us', () => {
  it('is paid once for the same question, however often and by whomever it is asked', async () => {
    const { model, models, create, asked } = await world(hello);
    const [one, other] = await Promise.all([models.chat(asked()), models.chat(asked())]);
    expect(one).toEqual(other);
    expect(await create().chat(asked('hello', { paidFor: 'call-2' }))).toEqual(one);
    expect(model.asked).toHaveLength(1);
    expect(await models.spent('run')).toEqual({ calls: 1, inputTokens: 1_000, outputTokens: 100, costUsd: 0.002 });
    expect((await models.spent('run', 'call-2')).calls).toBe(0);
  });

  it('is asked anew for another question, the same one once more, and in another scope', async () => {
    const { model, models, asked } = await world(hello);
    await models.chat(asked());
    await models.chat(asked('hello there'));
    await models.chat(asked('hello', { number: 1 }));
    await models.chat(asked('hello', { scope: 'another' }));
    expect(new Set(model.asked.map(({ key }) => key)).size).toBe(4);
  });

  it('is not asked for what somebody else was answered, where that does', async () => {
    const { model, models, asked } = await world(hello);
    const { text } = await models.chat(asked('hello', { scope: 'before' }));
    const again = await models.chat(asked('hello', { mayReuse: true }));
    expect(again).toEqual({ text, inputTokens: 0, outputTokens: 0, costUsd: 0 });
    expect(model.asked).toHaveLength(1);
    expect((await models.spent('run')).costUsd).toBe(0);
  });

  it('is not asked when the money is spent, and what was answered stays to be had', async () => {
    const { model, models, asked } = await world(hello);
    await models.chat(asked('hello', { budgetUsd: 0.001 }));
    const over = models.chat(asked('more', { budgetUsd: 0.001 }));
    await expect(over).rejects.toThrow(new BudgetSpent('over its budget of $0.001: spent $0.002'));
    await models.chat(asked('hello', { budgetUsd: 0.001 }));
    expect(model.asked).toHaveLength(1);
  });

  it('answers a step of a workflow, once within its run, and within its budget', async () => {
    const { model, create } = await world(() => ({ text: 'fine\0' }));
    const runId = newId();
    const call = (more: object, key = `step/a/1/1`) => {
      const context = { key, signal: new AbortController().signal } as PerformContext;
      return createModelAnswer(create()).perform(
        { model: 'fast', prompt: 'How is it?', runId, budgetUsd: 0.001, ...more },
        context,
      );
    };
    const answer = { text: 'fine\uFFFD', isCut: false, costUsd: 0.002 };
    expect([await call({}), await call({}, 'step/a/1/2')]).toEqual([answer, answer]);
    expect(model.asked.map(({ body }) => body.messages)).toEqual([[{ role: 'user', content: 'How is it?' }]]);
    await expect(call({ prompt: 'And now?' })).rejects.toThrow('over its budget');
    await expect(call({ model: 'none' })).rejects.toThrow('no model "none" is configured');
    expect(model.asked).toHaveLength(1);
  });

  it('waits for a limit, tries again while nothing happened, and does not where it may be paid already', async () => {
    const limited = await world((number) =>
      number === 1 ? { status: 429, headers: { 'retry-after': '0' } } : hello(),
    );
    await limited.models.chat(limited.asked());
    expect(limited.model.asked).toHaveLength(2);
    const broken = await world(() => ({ status: 500 }));
    await expect(broken.models.chat(broken.asked())).rejects.toThrow('it answers 500');
    expect(broken.model.asked).toHaveLength(1);
    const refusing = await world(() => ({ status: 400 }));
    await expect(refusing.models.chat(refusing.asked())).rejects.toThrow('answers 400: as the test says');
  });

  it('is kept when the database is away for a moment', async () => {
    const answers = rememberAnswers(2);
    const { models, asked, model } = await world(hello, answers);
    await models.chat(asked());
    expect([answers.kept.size, model.asked.length]).toEqual([1, 1]);
  });

  it('is counted by length where it does not count', async () => {
    const { models, asked } = await world(() => ({ text: 'x'.repeat(400), usage: null }));
    expect(await models.chat(asked())).toMatchObject({ outputTokens: 100, inputTokens: 9 });
  });

  it('is looked at without being paid', async () => {
    const { providers, model } = await world(hello);
    await providers[0]?.check(new AbortController().signal);
    expect(model.asked).toHaveLength(0);
  });

  it('has the same name for the same question whatever the order of its fields', () => {
    const messages = [{ role: 'user', content: 'x' }];
    const one = digestOf({ model: 'm', request: { messages, seed: 1, top_p: 1 } });
    expect(digestOf({ model: 'm', request: { top_p: 1, seed: 1, messages } })).toBe(one);
    expect(digestOf({ model: 'm', request: { top_p: 1, seed: 2, messages } })).not.toBe(one);
  });
});

describe('the endpoint of a run', () => {
  async function endpoint(script: Parameters<typeof world>[0], more: object = {}) {
    const made = await world(script);
    const counts = new Map<string, number>();
    const spent: string[] = [];
    const { request: _, number: __, ...asked } = made.asked('', more);
    const chat = chatHandler(made.models, asked, { counts, onSpent: (reason) => spent.push(reason) });
    const open = await openEndpoint({ '/v1/chat/completions': chat });
    closers.push(() => open.close());
    const post = (body: unknown, token = open.token, path = '/v1/chat/completions', signal?: AbortSignal) =>
      fetch(`http://127.0.0.1:${open.port}${path}`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}` },
        body: JSON.stringify(body),
        ...(signal && { signal }),
      });
    return { ...made, post, counts, spent };
  }
  const messages = [{ role: 'user', content: 'x' }];

  it('answers as OpenAI does, whoever has its token and nobody else', async () => {
    const { post, model } = await endpoint(hello);
    const answer = await post({ model: 'any', messages });
    expect([answer.status, await answer.json()]).toMatchObject([200, { choices: [{ message: { content: 'hello' } }] }]);
    const statuses = [
      await post({ messages }, 'x'.repeat(43)),
      await post({ messages }, ''),
      await post({ messages }, undefined, '/v1/files'),
      await post({ messages, stream: true }),
      await post('no chat'),
    ].map(({ status }) => status);
    expect(statuses).toEqual([401, 401, 404, 400, 400]);
    expect(model.asked).toHaveLength(1);
  });

  it('answers the same question anew, and after a new start in the same order from what it paid', async () => {
    const { post, model, counts } = await endpoint((number) => ({ text: `answer ${number}` }));
    const say = async () =>
      ((await (await post({ messages })).json()) as { choices: [{ message: { content: string } }] }).choices[0].message
        .content;
    expect([await say(), await say()]).toEqual(['answer 1', 'answer 2']);
    counts.clear();
    expect([await say(), await say(), await say()]).toEqual(['answer 1', 'answer 2', 'answer 3']);
    expect(model.asked).toHaveLength(3);
  });

  it('keeps what is paid although whoever asked is gone', async () => {
    let answer: (text: Scripted) => void = () => undefined;
    const { post, model, counts, answers } = await endpoint(() => new Promise((resolve) => (answer = resolve)));
    const gone = new AbortController();
    const first = post({ messages }, undefined, undefined, gone.signal).catch(() => null);
    await until('it is asked', () => model.asked.length === 1);
    gone.abort();
    await first;
    answer({ text: 'late' });
    await until('it is kept', () => answers.kept.size === 1);
    counts.clear();
    expect(await (await post({ messages })).json()).toMatchObject({ choices: [{ message: { content: 'late' } }] });
    expect(model.asked).toHaveLength(1);
  });

  it('says that the budget is spent, and tells whoever opened it', async () => {
    const { post, spent } = await endpoint(hello, { budgetUsd: 0 });
    const answer = await post({ messages });
    expect([answer.status, await answer.json()]).toMatchObject([402, { error: { code: 'budget_spent' } }]);
    expect(spent).toEqual(['over its budget of $0: spent $0']);
  });
});

describe('models of the configuration', () => {
  const model = modelSchema.parse({ name: 'fast', url: 'http://10.0.0.1:8000/v1', model: 'x' });
  const outbound = { allowHosts: [], privateHosts: [] };
  it('are told what is wrong with them, one line each', () => {
    const repositories = [{ evolve: { openevolve: { model: 'slow' } } }, { evolve: null }];
    expect(modelFaults({ models: [model, { ...model, url: 'https://x.example/v1' }], outbound, repositories })).toEqual(
      [
        expect.stringContaining('models[0].url: "http://10.0.0.1:8000" would get the token without TLS'),
        'models[1].name: "fast" → models[0] has it already; use another',
        'repositories[0].evolve.openevolve.model: "slow" → use one of models: fast, fast',
      ],
    );
  });
});
