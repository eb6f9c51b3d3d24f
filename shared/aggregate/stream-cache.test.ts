import { expect, it } from 'vitest';
import { newId, streamName } from '../contexts/stream.ts';
import { emptyStream, type FoldedStream } from './folded-stream.ts';
import { createStreamCache } from './stream-cache.ts';

const MEGABYTE = 1024 * 1024;
const streamOf = (state: unknown, commands = 0): FoldedStream<unknown> => {
  const folded = emptyStream(streamName('task', newId()), state);
  for (let number = 0; number < commands; number++)
    folded.commands.recent.set(newId(), { revision: number, hash: 'a'.repeat(64), at: 0 });
  return { ...folded, revision: 0 };
};

it('keeps streams up to its bytes, and drops what was used longest ago', () => {
  const cache = createStreamCache(MEGABYTE);
  const streams = Array.from({ length: 100 }, () => streamOf({ text: 'x'.repeat(50_000) }));
  for (const folded of streams) {
    cache.keep(folded);
    expect(cache.bytes()).toBeLessThanOrEqual(MEGABYTE);
  }
  const kept = streams.filter(({ stream }) => cache.get(stream) !== undefined);
  expect(kept).toEqual(streams.slice(-20));
});

it('measures again what has grown: by its state, and by its commands', () => {
  const cache = createStreamCache(MEGABYTE);
  const folded = streamOf(new Map());
  cache.keep(folded);
  const small = cache.bytes();
  folded.state = new Map(Array.from({ length: 1_000 }, () => [newId(), newId()]));
  folded.revision += 1_000;
  cache.keep(folded);
  const large = cache.bytes();
  expect(large - small).toBeGreaterThan(1_000 * 2 * 36);
  for (const [id, command] of streamOf(null, 1_000).commands.recent) folded.commands.recent.set(id, command);
  cache.keep(folded);
  expect(cache.bytes() - large).toBeGreaterThan(1_000 * (36 + 64));
});

it('does not keep what is larger than itself', () => {
  const cache = createStreamCache(MEGABYTE);
  const small = streamOf('');
  cache.keep(small);
  cache.keep(streamOf('x'.repeat(2 * MEGABYTE)));
  expect(cache.get(small.stream)).toBe(small);
  expect(cache.bytes()).toBeLessThan(MEGABYTE);
});
