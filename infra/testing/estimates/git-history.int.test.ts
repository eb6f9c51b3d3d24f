import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { gitHistory } from './git-history.ts';
import { foresee } from './held-out.ts';

const HELD_OUT = 200;
const root = resolve(import.meta.dirname, '../../..');

test('of 200 commits of this repository more are foreseen, by those before, than by always medium or the mean of their type', (context) => {
  let history: ReturnType<typeof gitHistory> = [];
  try {
    history = gitHistory(root);
  } catch {
    // A copy without its history.
  }
  if (history.length < 2 * HELD_OUT) return context.skip('this copy has not enough of its history');
  // The same commits whatever comes later.
  const known = history.slice(0, 565);
  const told = foresee(known.slice(0, -HELD_OUT), known.slice(-HELD_OUT));
  for (const simple of [told.medium, told.type, told.mean, told.unlearned]) {
    expect(told.estimate.right).toBeGreaterThan(simple.right + 0.05);
    expect(told.estimate.points).toBeLessThan(simple.points - 2);
  }
});
