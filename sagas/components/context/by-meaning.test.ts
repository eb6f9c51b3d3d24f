import { EmbeddingsFailed, quantised, type Embeddings } from '@workledger/shared/embeddings/port.ts';
import { describe, expect, it } from 'vitest';
import { byMeaning } from './by-meaning.ts';
import type { IndexedFile } from './code-index.ts';

const file = (path: string, ...signatures: string[]): IndexedFile =>
  ({
    ...{ path, name: [], folders: [], blob: path },
    facts: { definitions: signatures.map((signature) => ({ name: signature, line: 1, end: 1, signature })) },
  }) as unknown as IndexedFile;

const files = [
  file('src/queue.ts', 'enqueue(item)'),
  file('src/mail.ts', 'sendLetter(to)'),
  file('src/bill.ts', 'invoice(amount)'),
];
const ranked = [0, 1, 2].map((place) => ({ place, score: 10 - place }));

/** Two things there are to speak of: letters, and the rest. */
function embeddingsFor(model: string) {
  const asked: string[][] = [];
  const embeddings: Embeddings = {
    ...{ model, dimensions: 2, batch: 2 },
    embed: (texts) => {
      asked.push([...texts]);
      return Promise.resolve(texts.map((text) => quantised(/letter|post/i.test(text) ? [1, 0.1] : [0.1, 1])));
    },
  };
  return { embeddings, asked };
}

describe('files in the order of what they mean', () => {
  const question = 'The post is late';

  it('has first what means the same in other words, and keeps all', async () => {
    const { embeddings } = embeddingsFor('one');
    const places = (await byMeaning(ranked, { question, files }, embeddings)).map(({ place }) => place);
    expect(places).toEqual([1, 0, 2]);
  });

  it('asks within the batches of the endpoint, and for each text once', async () => {
    const { embeddings, asked } = embeddingsFor('two');
    await byMeaning(ranked, { question, files }, embeddings);
    expect(asked.map(({ length }) => length)).toEqual([2, 2]);
    await byMeaning(ranked, { question: 'Bills are wrong', files }, embeddings);
    expect(asked.slice(2)).toEqual([['Bills are wrong']]);
  });

  it('tells paths and signatures, without secrets', async () => {
    const { embeddings, asked } = embeddingsFor('three');
    const key = `AKIA${'Q3'.repeat(8)}`;
    await byMeaning(ranked.slice(0, 1), { question, files: [file('src/a.ts', `key = "${key}"`)] }, embeddings);
    expect(asked.flat().join()).toContain('src/a.ts');
    expect(asked.flat().join()).not.toContain(key);
  });

  it('is told that it cannot be had', async () => {
    const embeddings: Embeddings = {
      ...embeddingsFor('four').embeddings,
      embed: () => Promise.reject(new EmbeddingsFailed('no')),
    };
    await expect(byMeaning(ranked, { question, files }, embeddings)).rejects.toThrow(EmbeddingsFailed);
  });

  it('changes nothing where all are equally near, or nothing was found', async () => {
    const { embeddings } = embeddingsFor('five');
    const alike = [file('a'), file('b')];
    expect(await byMeaning(ranked.slice(0, 2), { question, files: alike }, embeddings)).toEqual(ranked.slice(0, 2));
    expect(await byMeaning([], { question, files }, embeddings)).toEqual([]);
  });
});
