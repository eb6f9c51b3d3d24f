import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const HELP = `Strikes the stores of a system under load (killed, frozen for 7 and 15 s, stopped), drawn by a seed, and looks whether its
promise holds: nothing that is there is denied, no answer is short, and what was accepted has its effect once. With --promise
tries another promise at full length, of which \`npm test\` has a short schedule, again and again; of what-systems-agree-on… one
system is loaded for so long, and its processes are killed as the seed draws it.

Usage: npm run storm -- [options]

  --minutes N    how long (default 5)
  --seed S       what it draws from (default: the time; it is printed)
  --promise NAME the promise whose file's name contains this (default while-a-store-is-away)
  --engine NAME  embedded, distributed or eventstoredb (default: all, one after the other)
  --store NAME   only this store: event-log, postgresql or kafka
  --strike NAME  only this: kill, stop or freeze
  --between N    so many commands, deliveries and questions are answered between two strikes (default 25)
  --help         this text

Exit code 0: the promise held; 1: it did not; 2: wrong usage.
`;

const ROOT = resolve(import.meta.dirname, '../../..');

function readOptions(): { minutes: number; promise: string; environment: Record<string, string> } {
  try {
    const { values } = parseArgs({
      options: {
        minutes: { type: 'string', default: '5' },
        seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
        promise: { type: 'string', default: 'while-a-store-is-away' },
        engine: { type: 'string' },
        store: { type: 'string' },
        strike: { type: 'string' },
        between: { type: 'string', default: '25' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help === true) {
      process.stdout.write(HELP);
      process.exit(0);
    }
    const { minutes, seed, promise, engine, store, strike, between } = values;
    if (!(Number(minutes) > 0) || !Number.isSafeInteger(Number(seed)))
      throw new Error('--minutes and --seed are numbers');
    process.stdout.write(`a storm of ${minutes} min, --seed ${seed}\n`);
    const environment = {
      WORKLEDGER_STORM_MINUTES: minutes,
      WORKLEDGER_STORM_SEED: seed,
      WORKLEDGER_STORM_BETWEEN: between,
      ...(engine !== undefined && { WORKLEDGER_ENGINES: engine }),
      ...(store !== undefined && { WORKLEDGER_STORM_STORE: store }),
      ...(strike !== undefined && { WORKLEDGER_STORM_STRIKE: strike }),
    };
    return { minutes: Number(minutes), promise, environment };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${HELP}`);
    process.exit(2);
  }
}

/** @returns whether the promise held */
async function runOnce(promise: string, environment: Record<string, string>): Promise<boolean> {
  const args = ['run', '--project', 'integration', `infra/guarantees/${promise}`, '--disable-console-intercept'];
  const child = spawn(process.execPath, [join(ROOT, 'node_modules/vitest/vitest.mjs'), ...args], {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code === 0;
}

const { minutes, promise, environment } = readOptions();
const endAt = performance.now() + minutes * 60_000;
let holds: boolean;
do holds = await runOnce(promise, environment);
while (holds && performance.now() < endAt);
process.exitCode = holds ? 0 : 1;
