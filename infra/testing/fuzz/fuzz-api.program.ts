import { parseArgs } from 'node:util';
import { fuzzSystem } from './fuzz-system.ts';
import { HOW_TO_GET_IT, schemathesis } from './schemathesis.ts';

const HELP = `Starts the embedded system and sends its API what its OpenAPI document allows, and what it does not.

Usage: npm run fuzz:api -- [options]

  --examples N   generated requests an operation (default 50)
  --seed S       what they are drawn from (default: the time; it is printed)
  --bounds       each bound of each schema as well: some thousand requests more
  --help         this text

Exit code 0: every answer was as described; 1: one was not, each finding with its curl line; 2: wrong usage.
`;

function readOptions(): { examples: number; seed: number; bounds: boolean } {
  try {
    const { values } = parseArgs({
      options: {
        examples: { type: 'string', default: '50' },
        seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
        bounds: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help === true) {
      process.stdout.write(HELP);
      process.exit(0);
    }
    const [examples, seed] = [Number(values.examples), Number(values.seed)];
    if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(examples) || examples < 1)
      throw new Error('--examples and --seed are whole numbers');
    return { examples, seed, bounds: values.bounds };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${HELP}`);
    process.exit(2);
  }
}

const chosen = readOptions();
const program = await schemathesis().catch((error: unknown) => {
  process.stderr.write(`${HOW_TO_GET_IT}: ${(error as Error).message}\n`);
  process.exit(1);
});
process.stdout.write(`--examples ${chosen.examples} --seed ${chosen.seed}\n`);
const { holds } = await fuzzSystem(program, { ...chosen, onOutput: (text) => process.stdout.write(text) });
process.exitCode = holds ? 0 : 1;
