import { LRUCache } from 'lru-cache';
import type { Embedding, Embeddings } from '@workledger/shared/embeddings/port.ts';
import type { IndexedFile } from './code-index.ts';
import type { Ranked } from './rank.ts';
import { withoutSecrets } from './redact.ts';

/** Files whose meaning is looked at: the first of those that were found otherwise. */
const MOST = 100;
const MOST_CHARACTERS = 2_000;
const TIMEOUT_MILLISECONDS = 10_000;
/** How much the nearest meaning counts, beside the best of all other ways of looking together, which is one. */
const WEIGHT = 0.5;

/** By model and text: what a file says of itself changes rarely. */
const known = new LRUCache<string, Embedding>({ max: 20_000 });

/**
 * Puts what was found in the order that its meaning gives it as well. What leaves the house is paths, names and signatures, without
 * secrets; no content. @throws EmbeddingsFailed
 */
export async function byMeaning(
  ranked: readonly Ranked[],
  { question, files }: { readonly question: string; readonly files: readonly IndexedFile[] },
  embeddings: Embeddings,
  signal: AbortSignal = new AbortController().signal,
): Promise<Ranked[]> {
  const group = ranked.slice(0, MOST);
  if (group.length === 0) return [];
  const asked = withoutSecrets(question).slice(0, MOST_CHARACTERS);
  const [wanted, ...found] = await embeddingsOf(
    [asked, ...group.map(({ place }) => textOf(files[place]))],
    embeddings,
    signal,
  );
  const nearness = found.map((one) => similarity(wanted!, one));
  const least = Math.min(...nearness);
  const range = Math.max(...nearness) - least;
  const best = group[0]?.score ?? 0;
  if (range === 0 || best === 0) return [...ranked];
  const moved = group.map(({ place, score }, index) => ({
    place,
    score: score + best * WEIGHT * (((nearness[index] ?? least) - least) / range),
  }));
  return [...moved.sort((one, other) => other.score - one.score), ...ranked.slice(MOST)];
}

function textOf(file: IndexedFile | undefined): string {
  const told = file?.facts?.definitions.map(({ signature }) => signature) ?? [];
  return withoutSecrets([file?.path ?? '', ...told].join('\n')).slice(0, MOST_CHARACTERS);
}

async function embeddingsOf(
  texts: readonly string[],
  embeddings: Embeddings,
  signal: AbortSignal,
): Promise<Embedding[]> {
  const keyOf = (text: string): string => `${embeddings.model}\n${text}`;
  const missing = [...new Set(texts)].filter((text) => !known.has(keyOf(text)));
  const made = new Map<string, Embedding>();
  for (let from = 0; from < missing.length; from += embeddings.batch) {
    const batch = missing.slice(from, from + embeddings.batch);
    const answers = await embeddings.embed(batch, { signal, timeoutMs: TIMEOUT_MILLISECONDS });
    batch.forEach((text, index) => {
      known.set(keyOf(text), answers[index]);
      made.set(text, answers[index]!);
    });
  }
  return texts.map((text) => made.get(text) ?? known.get(keyOf(text))!);
}

/** The cosine: both have length one. */
function similarity(one: Embedding, other: Embedding): number {
  let sum = 0;
  for (let at = 0; at < one.vector.length; at++) sum += one.vector[at]! * (other.vector[at] ?? 0);
  return sum * one.scale * other.scale;
}
