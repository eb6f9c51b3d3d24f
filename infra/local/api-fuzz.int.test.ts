import { expect, test } from 'vitest';
import { fuzzSystem } from '../testing/fuzz/fuzz-system.ts';
import { HOW_TO_GET_IT, schemathesis } from '../testing/fuzz/schemathesis.ts';
import { git } from '../testing/repository/git.ts';

/** The same requests in every run: what one finds, the next one finds. */
const SEED = 14;
const EXAMPLES = 2;
/** One commit asks a third of the operations, the next one another third: `npm run fuzz:api` asks them all. */
const PARTS = 3;
/** To make up names of feeds takes the checker a quarter of its time: `npm run fuzz:api` does so. */
const DEAR = 'get-api-v1-live';

/** By the commit; 0 where there is none. */
function thisPart(): number {
  try {
    return Number.parseInt(git(import.meta.dirname, 'rev-parse', 'HEAD').slice(0, 7), 16) % PARTS;
  } catch {
    return 0;
  }
}

test('the API answers what fits its description as described, refuses what does not, and fails at nothing', async (context) => {
  const program = await schemathesis().catch((error: unknown) => {
    if (process.env['WORKLEDGER_REQUIRE'] === '1') throw new Error(HOW_TO_GET_IT, { cause: error });
    return null;
  });
  if (program === null) return context.skip(HOW_TO_GET_IT);
  const part = thisPart();
  const isAsked = (operationId: string, index: number): boolean => index % PARTS === part && operationId !== DEAR;
  const { holds, report } = await fuzzSystem(program, { seed: SEED, examples: EXAMPLES, isAsked });
  expect(holds, `npm run fuzz:api -- --examples ${EXAMPLES} --seed ${SEED}\n${report}`).toBe(true);
}, 400_000);
