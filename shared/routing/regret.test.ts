import { anyOne, learning, models, play, regrets } from '@workledger/infra/testing/estimates/models-at-play.ts';
import { describe, expect, it } from 'vitest';
import { choose, draw } from './choose.ts';

describe('what a success costs beyond the best model', () => {
  it.each(['a', 'b'])('falls as outcomes are recorded, and is far below that of any one (seed %s)', (seed) => {
    const [first, second, last] = regrets(learning, seed);
    expect(second).toBeLessThan(first / 2);
    expect(last).toBeLessThan(first / 3);
    const [any] = regrets(anyOne, seed);
    expect(first).toBeLessThan(any / 3);
    expect(last).toBeLessThan(any / 20);
  });

  it('is the same for the same seeds', () => {
    expect(play(learning, '3', 50)).toEqual(play(learning, '3', 50));
    expect(play(learning, '4', 50)).not.toEqual(play(learning, '3', 50));
  });
});

it('one draw is what the choice takes where nobody prefers a model', () => {
  const none = { succeeded: 0, failed: 0 };
  const candidates = models.map(({ model, priceUsd }) => ({ model, priceUsd, same: none, others: none }));
  for (const seed of ['a', 'b', 'c', 'd', 'e'])
    expect(choose(candidates, { level: 'medium', seed }).model).toBe(draw(candidates, 'medium', seed));
});
