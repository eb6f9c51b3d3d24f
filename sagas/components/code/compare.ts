import { z } from 'zod';
import { artefact, metrics, type Metrics } from '@workledger/shared/contexts/values.ts';
import { refuse } from '../failures.ts';
import type { Checkout } from '../git/checkout.ts';
import { ensureCommits } from '../git/commits.ts';
import { aloneOnMachine } from '../process/alone.ts';
import { inRun } from '../run-component.ts';
import { type CodeAttempt, codeComponent, compareLimits } from './code-component.ts';
import { type CommandRun, runCommands } from './commands.ts';
import { metricsOf, readMetrics, reportOf, withProtectedPaths } from './validate.ts';
import { type At, setUp } from './setup.ts';

/** Of one commit in one comparison. */
const MOST_ROUNDS = 10;

/**
 * Measures two commits side by side: `setup` once in a checkout of each, then `evaluate` in turns (start, winner, start, winner),
 * nothing else being measured on this machine between the first and the last. What slows the machine down slows both.
 */
export const compare = codeComponent({
  request: inRun.extend({
    start: z.string(),
    winner: z.string(),
    base: z.string(),
    /** How often each is measured. */
    rounds: z.int().min(1).max(MOST_ROUNDS),
  }),
  result: z.object({
    /** One measurement a round. */
    start: z.array(metrics).readonly(),
    winner: z.array(metrics).readonly(),
    output: artefact,
  }),
  limits: compareLimits(MOST_ROUNDS),
  act: async ({ taskId, start, winner, base, rounds }, code) => {
    const { environment, mirror, repository, signal } = code;
    if (repository.evaluate === null)
      return refuse('compare', `repository "${repository.name}" has no evaluate command`);
    await ensureCommits(mirror, taskId, [start, winner, base], signal);
    const sides: readonly Side[] = [
      await prepared(code, 'start', { taskId, base, commit: await withProtectedPaths(code, taskId, start, base) }),
      await prepared(code, 'winner', { taskId, base, commit: await withProtectedPaths(code, taskId, winner, base) }),
    ];
    const runs = sides.flatMap(({ setup }) => setup);
    const evaluating = [{ step: 'evaluate', command: repository.evaluate }];
    if (passed(runs))
      await aloneOnMachine(environment.dataFolder, signal, async () => {
        for (let round = 0; round < rounds; round++)
          for (const { checkout, measured } of sides) {
            const ran = await runCommands(code, checkout, evaluating);
            measured.push(ran);
            runs.push(...ran);
            if (!passed(ran) || 'problem' in readMetrics(ran.at(-1)?.result.stdout ?? Buffer.alloc(0))) return;
          }
      });
    const output = await environment.artefacts.put(reportOf(runs), 'text/plain; charset=utf-8');
    const broken = runs.findIndex(({ problem }) => problem !== null);
    if (broken >= 0) metricsOf(code, runs.slice(0, broken + 1), output);
    const [ofStart = [], ofWinner = []] = sides.map(({ measured }): Metrics[] =>
      measured.map((ran) => metricsOf(code, ran, output)),
    );
    return { start: ofStart, winner: ofWinner, output };
  },
});

type Side = {
  readonly checkout: Checkout;
  readonly setup: readonly CommandRun[];
  readonly measured: (readonly CommandRun[])[];
};

async function prepared(code: CodeAttempt, name: string, at: At): Promise<Side> {
  const checkout = await code.checkout(`compare-${name}`, at.commit);
  const setup = await setUp(code, checkout, at);
  return { checkout, setup: setup === null ? [] : [setup], measured: [] };
}

const passed = (runs: readonly CommandRun[]): boolean => runs.every(({ problem }) => problem === null);
