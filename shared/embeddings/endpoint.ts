import CircuitBreaker from 'opossum';
import { z } from 'zod';
import { readSecret } from '../config/load.ts';
import type { Configuration } from '../config/schema.ts';
import { EmbeddingsFailed, quantised, type Embedding, type Embeddings } from './port.ts';

/** Failures in a row that open the breaker, and milliseconds until one call may try again. */
const FAILURES = 5;
const REST_MS = 30_000;
/** Bytes of an answer: 256 texts of 4,096 dimensions, as JSON. */
const MOST_BYTES = 32 * 1024 * 1024;

const answer = z.object({ data: z.array(z.object({ index: z.int().min(0), embedding: z.array(z.number()) })) });

/**
 * Any endpoint that answers as OpenAI's `/embeddings` does. Only the configured address is ever called: a redirect is an error. After
 * five failures it is left alone for 30 s.
 * @param folder where a relative file of the key starts @returns null where none is configured @throws ConfigurationError
 */
export async function openEmbeddings(
  configured: Configuration['embeddings'],
  folder: string,
  restMs: number = REST_MS,
): Promise<Embeddings | null> {
  if (configured === null) return null;
  const { url, model, dimensions, batch, timeoutSeconds } = configured;
  const key = configured.key === null ? null : await readSecret(configured.key, { place: 'embeddings.key', folder });
  const address = `${url.endsWith('/') ? url.slice(0, -1) : url}/embeddings`;
  const headers = { 'Content-Type': 'application/json', ...(key === null ? {} : { Authorization: `Bearer ${key}` }) };
  const circuit = new CircuitBreaker((action: () => Promise<Embedding[]>) => action(), {
    ...{ name: 'embeddings', timeout: false, volumeThreshold: FAILURES, errorThresholdPercentage: 50 },
    resetTimeout: restMs,
    // What the caller gave up, or the text's own fault, tells nothing of the endpoint.
    errorFilter: (error: unknown) => !(error instanceof EmbeddingsFailed) || error.ofText,
  });

  async function ask(texts: readonly string[], caller: AbortSignal, timeoutMs: number): Promise<Embedding[]> {
    const signal = AbortSignal.any([caller, AbortSignal.timeout(timeoutMs)]);
    const body = JSON.stringify({ model, input: texts, encoding_format: 'float' });
    try {
      const response = await fetch(address, { method: 'POST', headers, body, signal, redirect: 'error' });
      if (!response.ok) throw refusal(response.status, (await response.text()).slice(0, 200));
      return embeddingsOf(JSON.parse(await bounded(response)), texts.length);
    } catch (error) {
      if (error instanceof EmbeddingsFailed) throw error;
      caller.throwIfAborted();
      throw new EmbeddingsFailed(`embeddings: no answer that can be used from ${new URL(url).host}`, { cause: error });
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
    embed: async (texts, { signal, timeoutMs = timeoutSeconds * 1_000 }) => {
      try {
        return await circuit.fire(() => ask(texts, signal, timeoutMs));
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'EOPENBREAKER')
          throw new EmbeddingsFailed(`embeddings: failed ${FAILURES} times and rests`, { cause: error });
        throw error;
      }
    },
  };
}

/** Statuses by which an endpoint that works refuses a text. */
const OF_TEXT = new Set([400, 413, 422]);

const refusal = (status: number, words: string): EmbeddingsFailed =>
  new EmbeddingsFailed(`embeddings: the endpoint answers ${status}: ${words}`, { ofText: OF_TEXT.has(status) });

async function bounded(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MOST_BYTES) throw new EmbeddingsFailed(`embeddings: an answer of more than ${MOST_BYTES} bytes`);
  }
  return text + decoder.decode();
}
