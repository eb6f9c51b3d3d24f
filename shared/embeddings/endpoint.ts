import { z } from 'zod';
import { readSecret } from '../config/load.ts';
import { hostOf } from '../config/outbound.ts';
import type { Configuration } from '../config/schema.ts';
import { jsonOf } from '../outbound/exchange.ts';
import { Postponed } from '../outbound/failures.ts';
import { createOutbound, type Outbound, type OutboundOptions } from '../outbound/outbound.ts';
import { EmbeddingsFailed, quantised, type Embedding, type Embeddings } from './port.ts';
import { timeoutSignal } from '../resilience/timeout-signal.ts';

/** Of an answer: 256 texts of 4,096 dimensions, as JSON. Of a request: as many texts, as long as they may be. */
const MOST_BYTES = { answer: 32 * 1024 * 1024, request: 32 * 1024 * 1024 };
const AT_ONCE = 16;
/** Together they end before another process takes the same texts. */
const TRIES = 3;
/** A question's one try ends first, so that it counts as the endpoint's failure; what it waited for before does not. */
const LATER_MS = 1_000;

const answer = z.object({ data: z.array(z.object({ index: z.int().min(0), embedding: z.array(z.number()) })) });

/**
 * Any endpoint that answers as OpenAI's `/embeddings` does, by the one way out: the configured address alone is ever called, wherever it
 * is. What is embedded by and by is tried again; a question, which has its own time, once.
 * @param folder where a relative file of the key starts @returns null where none is configured @throws ConfigurationError
 */
export async function openEmbeddings(
  configured: Configuration['embeddings'],
  folder: string,
  options: Partial<Pick<OutboundOptions, 'backOffMs' | 'restMs'>> = {},
): Promise<(Embeddings & Pick<Outbound, 'state'> & { check(signal: AbortSignal): Promise<void> }) | null> {
  if (configured === null) return null;
  const { url, model, dimensions, batch, timeoutSeconds } = configured;
  const key = configured.key === null ? null : await readSecret(configured.key, { place: 'embeddings.key', folder });
  const headers: Record<string, string> = key === null ? {} : { Authorization: `Bearer ${key}` };
  const base = new URL(url);
  const allowed = { ...options, allowHosts: [], privateHosts: [hostOf(base)] };
  const outbound = createOutbound(
    { name: 'embeddings', base, atOnce: AT_ONCE, changesAtOnce: AT_ONCE, tries: TRIES, mostBytes: MOST_BYTES },
    { ...allowed, timeoutMs: timeoutSeconds * 1_000 },
  );
  // An endpoint that stumbles over what it does not know may embed all the same: it is not let rest for that.
  const looks = createOutbound({ name: 'embeddings', base, atOnce: 1, tries: 1 }, allowed);

  async function ask(texts: readonly string[], caller: AbortSignal, timeoutMs?: number): Promise<Embedding[]> {
    const inTime = timeoutMs === undefined ? [] : [timeoutSignal(timeoutMs + LATER_MS)];
    const signal = AbortSignal.any([caller, ...inTime]);
    const body = { model, input: texts, encoding_format: 'float' };
    try {
      const { status, body: answered } = await outbound.send({
        ...{ method: 'POST', path: '/embeddings', headers, body, signal, idempotent: true },
        ...(timeoutMs !== undefined && { timeoutMs, tries: 1 }),
      });
      if (status !== 200) throw refusal(status, answered.toString('utf8').slice(0, 200));
      return embeddingsOf(jsonOf(answered), texts.length);
    } catch (error) {
      if (error instanceof EmbeddingsFailed) throw error;
      caller.throwIfAborted();
      const why = error instanceof Postponed ? 'it rests' : `no answer that can be used from ${base.host}`;
      throw new EmbeddingsFailed(`embeddings: ${why}`, { cause: error });
    }
  }

  function embeddingsOf(value: unknown, count: number): Embedding[] {
    const found = answer.safeParse(value).data?.data.toSorted((one, other) => one.index - other.index) ?? [];
    if (found.length !== count) throw new EmbeddingsFailed('embeddings: not one for each text');
    const wrong = found.find(({ embedding }) => embedding.length !== dimensions);
    if (wrong !== undefined)
      throw new EmbeddingsFailed(
        `embeddings: model ${model} answers ${wrong.embedding.length} dimensions, configured are ${dimensions}`,
      );
    return found.map(({ embedding }) => quantised(embedding));
  }

  return {
    // Another endpoint's model of this name, cut to other dimensions, is another model.
    ...{ model: `${model}/${dimensions}`, dimensions, batch },
    embed: (texts, { signal, timeoutMs }) => ask(texts, signal, timeoutMs),
    state: outbound.state,
    check: async (signal) => {
      const { status } = await looks.send({ method: 'GET', path: '/models', headers, signal });
      // Not every endpoint lists its models; one that says so is there.
      if (status === 401 || status === 403) throw new EmbeddingsFailed(`embeddings: the endpoint refuses its key`);
    },
  };
}

/** Statuses by which an endpoint that works refuses a text. */
const OF_TEXT = new Set([400, 413, 422]);

const refusal = (status: number, words: string): EmbeddingsFailed =>
  new EmbeddingsFailed(`embeddings: the endpoint answers ${status}: ${words}`, { ofText: OF_TEXT.has(status) });
