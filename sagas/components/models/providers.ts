import { z } from 'zod';
import { readSecret } from '@workledger/shared/config/load.ts';
import type { ModelConfiguration } from '@workledger/shared/config/models.ts';
import { hostOf } from '@workledger/shared/config/outbound.ts';
import type { Configuration } from '@workledger/shared/config/schema.ts';
import { maskText } from '@workledger/shared/telemetry/mask.ts';
import { jsonOf } from '@workledger/shared/outbound/exchange.ts';
import { createOutbound, type OutboundOptions } from '@workledger/shared/outbound/outbound.ts';
import type { WatchedSystem } from '../watch.ts';
import type { KeptAnswer } from './answers.ts';

/** A chat as OpenAI's API has it: what else a request says is sent on as it is. */
export const chatRequest = z.looseObject({
  messages: z.array(z.looseObject({ role: z.string(), content: z.unknown() })).min(1),
  stream: z.literal(false).optional(),
});
export type ChatRequest = z.infer<typeof chatRequest>;

/** The model's endpoint does not answer this, and will not answer it if it is asked again. */
export class ModelRefused extends Error {
  override name = 'ModelRefused';
  readonly status: number;
  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** One configured model, by the one way out. */
export type ModelProvider = WatchedSystem & {
  readonly name: string;
  /** As its endpoint names it. */
  readonly id: string;
  /** Whether small requests are put together; null: they are not. */
  readonly batch: ModelConfiguration['batch'];
  /** @param key stable over retries, for endpoints that know such keys @throws ModelRefused, and what the way out throws */
  chat(request: ChatRequest, options: { readonly key: string; readonly signal: AbortSignal }): Promise<KeptAnswer>;
  secrets(): readonly string[];
};

const usage = z.looseObject({ prompt_tokens: z.number().min(0), completion_tokens: z.number().min(0) });
const answerSchema = z.looseObject({
  choices: z.array(z.looseObject({ message: z.looseObject({ content: z.string().nullable().optional() }) })).min(1),
  usage: usage.nullable().optional().catch(null),
});
/** What the first of an answer's choices says. */
export function saidIn({ text }: Pick<KeptAnswer, 'text'>): { readonly text: string; readonly isCut: boolean } {
  const choice = answerSchema.parse(JSON.parse(text)).choices[0];
  return { text: choice?.message.content ?? '', isCut: choice?.['finish_reason'] === 'length' };
}

const errorSchema = z.looseObject({ error: z.union([z.string(), z.looseObject({ message: z.string() })]) });

/** Characters of a token, where an endpoint does not count. */
const CHARACTERS = 4;
const WORDS = 300;

/** The models of the configuration. @param folder where relative files of keys start @throws ConfigurationError */
export const openModels = (
  { models, outbound }: Pick<Configuration, 'models' | 'outbound'>,
  folder: string,
  options: Partial<OutboundOptions> = {},
): Promise<ModelProvider[]> =>
  Promise.all(
    models.map(async (model, index) => {
      const key = model.key && (await readSecret(model.key, { place: `models[${index}].key`, folder }));
      return createProvider(model, key, { ...outbound, ...options });
    }),
  );

function createProvider(model: ModelConfiguration, key: string | null, allowed: OutboundOptions): ModelProvider {
  const { name, atOnce, timeoutSeconds, inputUsd, outputUsd } = model;
  const base = new URL(model.url);
  const target = { name: `model ${name}`, base, atOnce, changesAtOnce: atOnce, idempotencyHeader: 'Idempotency-Key' };
  const allowHosts = [...allowed.allowHosts, hostOf(base)];
  const outbound = createOutbound(target, { timeoutMs: timeoutSeconds * 1_000, ...allowed, allowHosts });
  const headers: Record<string, string> = key === null ? {} : { Authorization: `Bearer ${key}` };

  return {
    ...{ name, id: model.model, batch: model.batch },
    chat: async (request, { key: named, signal }) => {
      const body = { ...request, model: model.model, stream: false };
      const asked = { method: 'POST', path: '/chat/completions', headers, body, key: named, signal } as const;
      const { status, body: bytes } = await outbound.send(asked);
      const json = jsonOf(bytes);
      if (status !== 200) throw new ModelRefused(`model "${name}" answers ${status}${wordsOf(json)}`, status);
      const read = answerSchema.safeParse(json);
      if (!read.success) throw new ModelRefused(`model "${name}" gives an answer that is no chat completion`, 502);
      const text = JSON.stringify(json);
      const said = read.data.choices.reduce((sum, { message }) => sum + (message.content ?? '').length, 0);
      const inputTokens = Math.ceil(
        read.data.usage?.prompt_tokens ?? JSON.stringify(request.messages).length / CHARACTERS,
      );
      const outputTokens = Math.ceil(read.data.usage?.completion_tokens ?? said / CHARACTERS);
      const costUsd = (inputTokens * inputUsd + outputTokens * outputUsd) / 1_000_000;
      return { text, inputTokens, outputTokens, costUsd };
    },
    check: async (signal) => {
      const { status } = await outbound.send({ method: 'GET', path: '/models', headers, signal });
      // Not every endpoint lists its models; one that says so is there.
      if (status === 401 || status === 403) throw new ModelRefused(`model "${name}" refuses its key`, status);
    },
    state: outbound.state,
    secrets: () => (key === null ? [] : [key]),
  };
}

function wordsOf(json: unknown): string {
  const read = errorSchema.safeParse(json);
  if (!read.success) return '';
  const { error } = read.data;
  return `: ${maskText(typeof error === 'string' ? error : error.message).slice(0, WORDS)}`;
}
