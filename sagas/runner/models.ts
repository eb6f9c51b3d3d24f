import { EmbeddingsFailed, type Embeddings } from '@workledger/shared/embeddings/port.ts';
import { oneLine } from '@workledger/shared/telemetry/one-line.ts';
import { Postponed } from '../engine/component.ts';
import type { ComponentEnvironment } from '../components/environment.ts';
import { BudgetSpent, type ChatAsked, type Models } from '../components/models/models.ts';
import { ModelRefused } from '../components/models/providers.ts';
import { LimitReached, NotAllowed, TargetAway } from '@workledger/shared/outbound/failures.ts';
import type { InRun } from '../components/run-component.ts';
import type { Asking } from './asking.ts';
import type { AskedOfModels, CallFrame, Said, SaidOfModels } from './frames.ts';

export type ModelsOfCall = { readonly models: Models; readonly embeddings: Embeddings | null };

/** The runner's side: the models of one call, asked through whoever called. @param signal of the call */
export function modelsThrough(
  { ask }: Pick<Asking, 'ask'>,
  { models: given, embeddings }: Pick<CallFrame, 'models' | 'embeddings'>,
  signal: AbortSignal,
): ModelsOfCall {
  const chat = async ({
    model,
    request,
    scope,
    number,
    budgetUsd,
    mayReuse = false,
    together,
    signal: own,
  }: ChatAsked) => {
    const asked = { model, request, scope, number, budgetUsd, mayReuse, together: together ?? null };
    const said = await ask({ what: 'chat', ...asked }, AbortSignal.any([own, signal]));
    return said.said === 'answer' ? said.answer : failed(said);
  };

  return {
    models: {
      names: given.map(({ name }) => name),
      idOf: (model) => given.find(({ name }) => name === model)?.id ?? model,
      chat,
      spent: async (scope, paidFor) => {
        const said = await ask({ what: 'spent', scope, own: paidFor !== undefined }, signal);
        return said.said === 'spent' ? said.spent : failed(said);
      },
      // It has none of their keys.
      secrets: () => [],
    },
    embeddings: embeddings && {
      ...embeddings,
      embed: async (texts, { signal: own, timeoutMs = null }) => {
        const said = await ask({ what: 'embed', texts: [...texts], timeoutMs }, AbortSignal.any([own, signal]));
        if (said.said !== 'embeddings') return failed(said);
        return said.embeddings.map(({ vector, scale }) => ({
          vector: new Int8Array(Buffer.from(vector, 'base64')),
          scale,
        }));
      },
    },
  };
}

function failed(said: Said): never {
  if (said.said !== 'failure') throw new Error('another answer than was asked for');
  const { name, message, status = 502, until } = said;
  switch (name) {
    case 'BudgetSpent':
      throw new BudgetSpent(message);
    case 'ModelRefused':
      throw new ModelRefused(message, status);
    case 'LimitReached':
      throw new LimitReached(message, new Date(until ?? Date.now()));
    case 'NotAllowed':
      throw new NotAllowed(message);
    case 'EmbeddingsFailed':
      throw new EmbeddingsFailed(message);
    default:
      throw new TargetAway(message, { mayHaveHappened: true });
  }
}

/** Of one call: a run of OpenEvolve asks once an iteration, and a little more. */
const MOST_ASKED = 25_000;

/** Sagas' side: what a runner asks of models in one call, asked for it. It pays for nothing but that call, and for no other run. */
export function askModelsFor(
  { models, embeddings }: Pick<ComponentEnvironment, 'models' | 'embeddings'>,
  {
    key,
    request,
    models: given,
    budgetUsd,
  }: Pick<CallFrame, 'key' | 'models'> & { readonly request: InRun; readonly budgetUsd: number | null },
  signal: AbortSignal,
): (asked: AskedOfModels) => Promise<SaidOfModels> {
  let count = 0;
  return async (asked) => {
    count += 1;
    try {
      if (count > MOST_ASKED) throw new NotAllowed(`a call asks models at most ${MOST_ASKED} times`);
      if (asked.what === 'embed') {
        if (!embeddings) throw new NotAllowed('nothing computes what texts mean');
        const { texts, timeoutMs } = asked;
        const made = await embeddings.embed(texts, { signal, ...(timeoutMs !== null && { timeoutMs }) });
        const inText = made.map(({ vector, scale }) => ({ vector: Buffer.from(vector).toString('base64'), scale }));
        return { said: 'embeddings', embeddings: inText };
      }
      if (!models) throw new NotAllowed('no models are configured');
      if (!asked.scope.startsWith(`${request.runId}/`)) throw new NotAllowed('a call pays for its own run alone');
      if (asked.what === 'spent')
        return { said: 'spent', spent: await models.spent(asked.scope, asked.own ? key : undefined) };
      const { what: _, together, ...chat } = asked;
      if (!given.some(({ name }) => name === chat.model))
        throw new NotAllowed(`this call asks no model "${chat.model}"`);
      const { text, inputTokens, outputTokens, costUsd } = await models.chat({
        // What the call may cost is said by who gave it out.
        ...{ ...chat, budgetUsd, paidFor: key, signal },
        ...(together === null ? {} : { together }),
      });
      return { said: 'answer', answer: { text, inputTokens, outputTokens, costUsd } };
    } catch (error) {
      return failureOf(error);
    }
  };
}

function failureOf(error: unknown): SaidOfModels {
  const told = { said: 'failure', message: oneLine(error) } as const;
  if (error instanceof BudgetSpent) return { ...told, name: 'BudgetSpent', message: error.message };
  if (error instanceof ModelRefused) return { ...told, name: 'ModelRefused', status: error.status };
  if (error instanceof LimitReached) return { ...told, name: 'LimitReached', until: error.until.toISOString() };
  if (error instanceof Postponed) return { ...told, name: 'LimitReached', until: new Date().toISOString() };
  if (error instanceof EmbeddingsFailed) return { ...told, name: 'EmbeddingsFailed' };
  if (error instanceof NotAllowed) return { ...told, name: 'NotAllowed' };
  return { ...told, name: error instanceof TargetAway ? 'TargetAway' : 'other' };
}
