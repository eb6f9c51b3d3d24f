import { availableParallelism } from 'node:os';
import type { CheckConfiguration } from '@workledger/shared/config/checks.ts';
import type { CheckResult } from '@workledger/shared/contexts/evolution/validation/checks.ts';
import type { Checkout } from '../git/checkout.ts';
import { changesPaths } from '../git/changes-paths.ts';
import type { CodeAttempt } from './code-component.ts';
import { runCheck, type CheckRun } from './run-check.ts';
import { type At, setUp } from './setup.ts';

/** Checkouts beside the one of the tests: each is a copy of the repository, and of what `setup` made. */
const MOST_LANES = 3;

type Work = At & { readonly base: string };

/**
 * Runs the named checks of a repository: those that may, beside the tests, in checkouts of their own; the others after them, in theirs.
 * @param first what runs in the checkout before the others there do
 * @returns as they stand in the configuration
 */
export async function runNamedChecks(
  code: CodeAttempt,
  checkout: Checkout,
  work: Work,
  first: () => Promise<void>,
): Promise<CheckRun[]> {
  const { checks } = code.repository;
  const ran = new Map<string, CheckRun>();
  const due: CheckConfiguration[] = [];
  for (const check of checks) {
    const isDue = check.when === null || (await changesPaths(code.mirror, work, check.when.changed, code.signal));
    if (isDue) due.push(check);
    else ran.set(check.name, skipped(check));
  }
  const waiting = due.filter(({ parallel }) => parallel);
  const inOrder = due.filter(({ parallel }) => !parallel);
  const lanes = Math.min(waiting.length, MOST_LANES, availableParallelism() - 1);
  const take = async (at: CodeAttempt, place: Checkout, queue: CheckConfiguration[]): Promise<void> => {
    for (let check = queue.shift(); check !== undefined; check = queue.shift())
      ran.set(check.name, await runCheck(at, place, work, check));
  };
  const besides = Array.from({ length: lanes }, (_, lane) =>
    code.beside(`checks-${lane + 1}`, async (at) => {
      const place = await at.checkout('validate', work.commit);
      const setup = await setUp(at, place, work);
      // Where it cannot be prepared, the tests' checkout, which can, takes what is left.
      if (setup === null || setup.problem === null) await take(at, place, waiting);
    }),
  );
  const here = (async () => {
    await first();
    await take(code, checkout, inOrder);
    // Whoever may run beside has a checkout that nobody was in before, however long that takes.
    await Promise.allSettled(besides);
    await take(code, checkout, waiting);
  })();
  const settled = await Promise.allSettled([here, ...besides]);
  for (const one of settled) if (one.status === 'rejected') throw one.reason;
  return checks.flatMap(({ name }) => ran.get(name) ?? []);
}

function skipped({ name }: CheckConfiguration): CheckRun {
  const result: CheckResult = {
    ...{ name, verdict: 'skipped', reason: 'the work changes nothing that it is for' },
    ...{ counts: null, newFindings: null, exitCode: null, durationMs: 0, report: null, findings: null },
  };
  return { result, run: null, findings: [] };
}
