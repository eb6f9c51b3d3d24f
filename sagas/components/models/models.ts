import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { AgentTold } from '@workledger/shared/contexts/values.ts';
import { keepTrying } from '@workledger/shared/resilience/keep-trying.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';
import { oneLine } from '@workledger/shared/telemetry/one-line.ts';
import { Postponed } from '../../engine/component.ts';
import { refuse } from '../failures.ts';
import { LimitReached, TargetAway } from '@workledger/shared/outbound/failures.ts';
import { timeoutSignal } from '@workledger/shared/resilience/timeout-signal.ts';
import type { AnswerKey, Answers, KeptAnswer, Spent } from './answers.ts';
import { createBatches, type Batch, type BatchStore, type Part } from './batches.ts';
import type { ChatRequest, ModelProvider } from './providers.ts';

export type ChatAsked = {
  /** As the configuration names it. */
  readonly model: string;
  readonly request: ChatRequest;
  /** What belongs together: the same request in it, asked as often, has the same answer, and is paid once. */
  readonly scope: string;
  /** How often the same was asked before by whoever asks: 0 for the first time. */
  readonly number: number;
  /** Key of the component's call. */
  readonly paidFor: string;
  /** US dollars that all of the scope may take; null: no limit. */
  readonly budgetUsd: number | null;
  /**
   * Whatever was answered in this scope does, too, though it was asked in other words; so does what the same request was answered for
   * somebody else. Neither costs anything. Default: false.
   */
  readonly mayReuse?: boolean;
  /** Of these, small requests of one name may be asked as one; default: none may. */
  readonly together?: string;
  readonly signal: AbortSignal;
};

/** The money is spent. Nothing was asked. */
export class BudgetSpent extends Error {
  override name = 'BudgetSpent';
}

/** Asks the configured models: what they answer is kept before it is given on, with its tokens and its price. */
export type Models = {
  readonly names: readonly string[];
  /** What a model's endpoint calls it. */
  idOf(model: string): string;
  /** @throws BudgetSpent, ModelRefused, and what the way out throws */
  chat(asked: ChatAsked): Promise<KeptAnswer>;
  /** What a scope took, or what one call paid of it. */
  spent(scope: string, paidFor?: string): Promise<Spent>;
  secrets(): readonly string[];
};

/** Those of this call. @throws ComponentFailure where the model cannot be asked */
export function modelsFor(
  { models }: { readonly models?: Models | null | undefined },
  step: string,
  model: string,
): Models {
  if (models?.names.includes(model)) return models;
  return refuse(step, `no model "${model}" is configured: see "models"`);
}

/** What models took, as an agent tells of its work: a turn for each answer. */
export const toldOf = ({ calls, inputTokens, outputTokens }: Spent): AgentTold => ({
  ...{ turns: calls, tokens: { input: inputTokens, output: outputTokens } },
  ...{ session: null, isResumed: false },
});

type Logger = { warn(fields: object, message: string): void };

/** In place of how often it was asked before: no number of any request. */
const IN_VAIN = -1;
/** Tries of one request while its model is away or takes nothing more. */
const TRIES = 6;
const LONGEST_WAIT_MILLISECONDS = 300_000;
const LONGEST_BATCH_MILLISECONDS = 1_800_000;

export function createModels(
  providers: readonly ModelProvider[],
  answers: Answers,
  {
    logger,
    waitMilliseconds = 2_000,
    batchStore,
  }: { readonly logger: Logger; readonly waitMilliseconds?: number; readonly batchStore?: BatchStore },
): Models {
  const underWay = new Map<string, Promise<KeptAnswer>>();
  const remembered = new LRUCache<string, KeptAnswer>({
    max: 500,
    maxSize: 20_000_000,
    sizeCalculation: ({ text }) => Math.max(1, text.length),
  });
  let isTidy = false;

  async function ask(provider: ModelProvider, key: AnswerKey, asked: ChatAsked): Promise<KeptAnswer> {
    const known = await answers.find(key);
    if (known !== null) return known;
    const { scope, budgetUsd, request, paidFor, signal, mayReuse = false } = asked;
    const same = mayReuse ? await answers.findSame(key) : null;
    if (same !== null) {
      // It is this one's own from now on: whoever asks again is told the same.
      await keepSurely(key, { ...same, model: provider.name, paidFor });
      return same;
    }
    if (budgetUsd !== null) {
      const { costUsd } = await answers.spent(scope);
      if (costUsd >= budgetUsd) throw new BudgetSpent(`over its budget of ${usd(budgetUsd)}: spent ${usd(costUsd)}`);
    }
    const named = createHash('sha256').update(JSON.stringify(key)).digest('hex');
    const { answer: part, lost } = await partOfBatch(provider, key, asked);
    if (part !== null) {
      await keepSurely(key, { ...part, model: provider.name, paidFor });
      return part;
    }
    // Paid in vain, and paid all the same: nobody is ever told it.
    if (lost !== null)
      await keepSurely({ ...key, number: IN_VAIN }, { ...lost, text: '', model: provider.name, paidFor });
    const answer = await patiently(signal, () => provider.chat(request, { key: named, signal }));
    await keepSurely(key, { ...answer, model: provider.name, paidFor });
    return answer;
  }

  /** What is asked for several goes on although one of them may end. */
  async function partOfBatch(provider: ModelProvider, key: AnswerKey, asked: ChatAsked): Promise<Part> {
    const { together, request } = asked;
    if (provider.batch === null || together === undefined || batches === null) return { answer: null, lost: null };
    return batches.join(provider.name, provider.batch, { key, request, together });
  }

  const batches = batchStore === undefined ? null : createBatches(batchStore, askBatch);

  function askBatch({ id, request }: Batch, model: string): Promise<KeptAnswer> {
    const scope = `batch/${id}`;
    const signal = timeoutSignal(LONGEST_BATCH_MILLISECONDS);
    return chat({ model, request, scope, number: 0, paidFor: scope, budgetUsd: null, signal });
  }

  async function patiently<Result>(signal: AbortSignal, action: () => Promise<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt++)
      try {
        return await action();
      } catch (error) {
        const rest = restAfter(error, waitMilliseconds * 2 ** (attempt - 1));
        if (rest === null || attempt >= TRIES) throw error;
        logger.warn({ reason: oneLine(error) }, 'a model does not answer: it is asked again');
        await pause(rest, signal);
        signal.throwIfAborted();
      }
  }

  /** It is paid: it is kept however long the database is away, and given on by whoever asked even if that has gone. */
  async function keepSurely(key: AnswerKey, answer: Parameters<Answers['keep']>[1]): Promise<void> {
    const told = {
      shortest: 100,
      longest: 5_000,
      onFailed: (error: unknown) =>
        logger.warn({ reason: oneLine(error) }, 'cannot keep the answer of a model: trying again'),
    };
    await keepTrying(() => answers.keep(key, answer).then(() => true), {
      signal: timeoutSignal(LONGEST_WAIT_MILLISECONDS),
      ...told,
    });
  }

  return {
    names: providers.map(({ name }) => name),
    idOf: (model) => providers.find(({ name }) => name === model)?.id ?? model,
    secrets: () => providers.flatMap((provider) => provider.secrets()),
    spent: (scope, paidFor) => answers.spent(scope, paidFor),
    chat,
  };

  async function chat(asked: ChatAsked): Promise<KeptAnswer> {
    const provider = providers.find(({ name }) => name === asked.model);
    if (provider === undefined) throw new RangeError(`no model "${asked.model}" is configured: see "models"`);
    if (!isTidy) {
      isTidy = true;
      void answers.forgetOld().catch(() => (isTidy = false));
    }
    const key = { scope: asked.scope, digest: digestOf(asked), number: asked.number };
    const name = JSON.stringify(key);
    const before = remembered.get(name);
    if (before !== undefined) return before;
    const joined = underWay.get(name) ?? ask(provider, key, asked).finally(() => underWay.delete(name));
    underWay.set(name, joined);
    const answer = await joined;
    remembered.set(name, answer);
    return answer;
  }
}

/** An answer costs parts of a cent. */
const usd = (amount: number): string => `$${Number(amount.toFixed(6))}`;

/** Milliseconds until the same may be asked again; null: it may not, since nobody knows whether it was paid, or it is no use. */
function restAfter(error: unknown, otherwise: number): number | null {
  if (error instanceof LimitReached) {
    const rest = Math.max(0, error.until.getTime() - Date.now());
    return rest > LONGEST_WAIT_MILLISECONDS ? null : Math.max(rest, 100);
  }
  if (error instanceof Postponed) return otherwise;
  return error instanceof TargetAway && !error.mayHaveHappened ? otherwise : null;
}

/** Names a request by what it asks, whatever the order of its fields. */
export const digestOf = ({ model, request }: Pick<ChatAsked, 'model' | 'request'>): string =>
  createHash('sha256')
    .update(JSON.stringify([model, inOrder(request)]))
    .digest('hex');

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, field]) => [name, inOrder(field)]),
  );
}
