import { describe, expect, it } from 'vitest';
import { choose, draw, WAIT_USD, type Candidate, type Tries } from './choose.ts';
import { beta, randomOf } from './random.ts';

const none: Tries = { succeeded: 0, failed: 0 };
const model = (name: string, priceUsd: number, same = none, others = none): Candidate => ({
  ...{ model: name, priceUsd, same, others },
});

describe('a model is chosen', () => {
  it('again for the same seed', () => {
    const candidates = [model('small', 0.01), model('large', 0.2)];
    const seeds = Array.from({ length: 40 }, (_, at) => `seed ${at}`);
    const chosen = seeds.map((seed) => choose(candidates, { level: 'medium', seed }));
    expect(seeds.map((seed) => choose(candidates, { level: 'medium', seed }))).toEqual(chosen);
    expect(new Set(chosen.map((one) => one.model))).toEqual(new Set(['small', 'large']));
  });

  it('by what a success costs, once that is known', () => {
    const good = model('good', 0.2, { succeeded: 90, failed: 10 });
    const cheap = model('cheap', 0.01, { succeeded: 2, failed: 98 });
    const choice = choose([cheap, good], { level: 'medium', seed: 'x' });
    expect(choice).toMatchObject({ model: 'good', confidence: 1, estimatedCostUsd: 0.2 });
    expect(choice.reason).toBe('90 of 100 tries at its like were good, $0.2 a try, 100 % likely the best of 2');
    const easy = model('cheap', 0.01, { succeeded: 85, failed: 15 });
    expect(choose([easy, good], { level: 'low', seed: 'x' }).model).toBe('cheap');
  });

  it('as preferred, unless that is known to be worse', () => {
    const little = [model('a', 0.1), model('b', 0.1)];
    const preferred = choose(little, { level: 'low', preferred: 'b', seed: '1' });
    expect(preferred).toMatchObject({ model: 'b', reason: expect.stringMatching(/^preferred: nothing recorded/) });
    const worse = [model('a', 0.1, { succeeded: 50, failed: 0 }), model('b', 0.1, { succeeded: 1, failed: 49 })];
    expect(choose(worse, { level: 'low', preferred: 'b', seed: '1' })).toMatchObject({
      ...{ model: 'a', reason: expect.stringMatching(/^not "b", which is only 0 % likely the best/) },
    });
    expect(choose(little, { level: 'low', preferred: 'c', seed: '1' }).reason).toMatch(/^"c" is not configured/);
  });

  it('by other types of task where nothing is known of its own', () => {
    const known = model('known', 0.1, none, { succeeded: 40, failed: 2 });
    const unknown = model('bad', 0.1, none, { succeeded: 1, failed: 40 });
    const chosen = Array.from({ length: 100 }, (_, at) => draw([known, unknown], 'low', `${at}`));
    expect(chosen.filter((name) => name === 'known').length).toBeGreaterThan(85);
  });
});

describe('its confidence', () => {
  it('is how often the chosen one is the best in truth', () => {
    const random = randomOf('calibration');
    const bins = Array.from({ length: 5 }, () => ({ said: 0, right: 0, count: 0 }));
    for (let world = 0; world < 600; world++) {
      const truths = [1, 2, 3].map(() => beta(1, 1, random));
      const candidates = truths.map((truth, at) => {
        const tries = Math.floor(random() * 12);
        const succeeded = Array.from({ length: tries }, () => random() < truth).filter(Boolean).length;
        return model(String(at), 0.1 * (at + 1), { succeeded, failed: tries - succeeded });
      });
      const { model: chosen, confidence } = choose(candidates, { level: 'medium', seed: `world ${world}` });
      const costs = truths.map((truth, at) => (candidates[at]!.priceUsd + WAIT_USD.medium) / truth);
      const bin = bins[Math.min(4, Math.floor(confidence * 5))]!;
      bin.said += confidence;
      bin.count += 1;
      if (costs.indexOf(Math.min(...costs)) === Number(chosen)) bin.right += 1;
    }
    for (const { said, right, count } of bins.filter((bin) => bin.count >= 60))
      expect(Math.abs(right / count - said / count)).toBeLessThan(0.1);
  });
});
