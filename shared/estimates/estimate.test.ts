import { foresee } from '@workledger/infra/testing/estimates/held-out.ts';
import { madeUpHistory } from '@workledger/infra/testing/estimates/made-up-history.ts';
import { describe, expect, it } from 'vitest';
import { randomOf } from '../routing/random.ts';
import { estimate } from './estimate.ts';
import { learn, type Past } from './experience.ts';

const task = (title: string, description = '', labels: string[] = []) => ({ title, description, labels });
const naive = learn([]);

describe('a task that nothing is known of', () => {
  it.each([
    ['low', task('Fix a typo in the readme')],
    ['low', task('Show the year in the footer')],
    ['medium', task('Let users export', `${'Users ask for it. '.repeat(30)}\n- as CSV\n- as JSON\n- as PDF`)],
    ['high', task('Migrate the architecture of the protocol', 'Everywhere. '.repeat(20))],
    ['high', task('Change it', 'It is written down elsewhere, in many words. '.repeat(5), ['epic'])],
    ['low', task('Change it', 'It is written down elsewhere, in many words. '.repeat(5), ['good first issue'])],
  ])('is %s by its words', (level, asked) => {
    expect(estimate(asked, naive)).toMatchObject({ level });
  });

  it('has its reason in words', () => {
    expect(estimate(task('Rewrite src/a.ts, src/b.ts and src/c.ts'), naive).reason).toBe(
      'medium, 64 of 100: files it names (+20), words of hard work (+20), several things in its title (+5), a title of many words (+3); nothing was learned yet',
    );
  });
});

describe('a task of which the like is over', () => {
  const words = (at: number): string => ['alpha', 'beta', 'gamma', 'delta'][at % 4]!;
  const past: Past[] = Array.from({ length: 40 }, (_, at) =>
    at % 2 === 0
      ? { ...task(`Change the ledger of ${words(at)}`), effort: 80 }
      : { ...task(`Change the footer of ${words(at)}`), effort: 12 },
  );
  const experience = learn(past);

  it('is as hard as they were', () => {
    const hard = estimate(task('Change the ledger of epsilon'), experience);
    expect(hard.score).toBeGreaterThan(60);
    expect(hard.reason).toMatch(
      /20 finished tasks are like it, first "Change the ledger of .+" \(80\), and came out harder/,
    );
    expect(estimate(task('Change the footer of epsilon'), experience).score).toBeLessThan(35);
  });

  it('has no word of a description in its reason', () => {
    const secretive = learn(past.map((one) => ({ ...one, description: 'zanzibar' })));
    expect(estimate(task('Change the ledger', 'zanzibar quokka'), secretive).reason).not.toMatch(/zanzibar|quokka/);
  });

  it('is estimated again the same', () => {
    const asked = task('Change the ledger of beta', 'and more of it');
    expect(estimate(asked, learn(past))).toEqual(estimate(asked, experience));
  });
});

describe('of 240 tasks that were held back, after 360', () => {
  it.each([1, 2, 3, 4, 5])(
    'more are foreseen than by always medium, or by the mean of their type (seed %i)',
    (seed) => {
      const history = madeUpHistory(randomOf(`history ${seed}`), 600);
      const told = foresee(history.slice(0, 360), history.slice(360));
      for (const simple of [told.medium, told.type, told.mean, told.unlearned]) {
        expect(told.estimate.right).toBeGreaterThan(simple.right + 0.1);
        expect(told.estimate.points).toBeLessThan(simple.points - 1);
      }
    },
  );
});

// Were it more than linear, the test's own limit would end it.
it('long words come to an end', () => {
  const long = `${'a/'.repeat(30_000)} ${'x'.repeat(20_000)} ${'- '.repeat(20_000)}`;
  expect(estimate(task(long.slice(0, 300), long), naive)).toEqual(estimate(task(long.slice(0, 300), long), naive));
});
