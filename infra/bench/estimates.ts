import { performance } from 'node:perf_hooks';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { estimate } from '@workledger/shared/estimates/estimate.ts';
import { learn, type Past } from '@workledger/shared/estimates/experience.ts';
import { randomOf } from '@workledger/shared/routing/random.ts';
import { gitHistory } from '../testing/estimates/git-history.ts';
import { foresee } from '../testing/estimates/held-out.ts';
import { madeUpHistory } from '../testing/estimates/made-up-history.ts';
import { anyOne, learning, regrets } from '../testing/estimates/models-at-play.ts';

// How well tasks that were held back are foreseen, beside guesses that need no thought; what a choice of models costs beyond the best; what both take.
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    repository: { type: 'string', multiple: true, default: [resolve(import.meta.dirname, '../..')] },
    'held-out': { type: 'string', default: '240' },
  },
});
const heldOut = Number(values['held-out']);

function tell(name: string, history: readonly Past[]): void {
  const [past, later] = [history.slice(0, -heldOut), history.slice(-heldOut)];
  console.log(`\n${name}: ${later.length} tasks, after ${past.length}`);
  if (past.length === 0) return;
  console.table(
    Object.fromEntries(
      Object.values(foresee(past, later)).map(({ name: guess, right, off, points }) => [
        guess,
        {
          'levels right': `${(100 * right).toFixed(1)} %`,
          'levels off': off.toFixed(2),
          'points off': points.toFixed(1),
        },
      ]),
    ),
  );
}

const madeUp = madeUpHistory(randomOf(`history ${values.seed}`), 600);
tell(`made up (seed ${values.seed})`, madeUp);
for (const folder of values.repository)
  tell(`commits of ${folder === values.repository[0] ? 'a repository' : folder}`, gitHistory(folder));

const known = learn(madeUp.slice(0, 250));
const begun = performance.now();
for (let round = 0; round < 5; round++) for (const task of madeUp) estimate(task, known);
const each = (performance.now() - begun) / (5 * madeUp.length);
const learnBegun = performance.now();
learn(madeUp.slice(0, 250));
console.log(
  `\nan estimate takes ${(1_000 * each).toFixed(0)} µs, learning 250 tasks ${(performance.now() - learnBegun).toFixed(1)} ms`,
);

console.log('\nUS dollars a success beyond the best of four models, by thirds of 600 tries, mean of 12 worlds');
console.table({
  'Thompson sampling': regrets(learning, values.seed).map((usd) => usd.toFixed(4)),
  'any one': regrets(anyOne, values.seed).map((usd) => usd.toFixed(4)),
});
