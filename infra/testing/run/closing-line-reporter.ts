import { stripVTControlCharacters } from 'node:util';
import type { Reporter, TestCase, TestModule, TestRunEndReason, Vitest } from 'vitest/node';

/** A whole run with fewer tests has lost some on the way (a pattern that matches nothing, a project left out). */
const fewestTests = 900;

/**
 * Prints `N passed, N failed` (`, N skipped`) as the very last line, so that a script can read the outcome, and makes the
 * exit code say the same. What fails outside a test (a hook, a file, the set-up, an unhandled error) counts as failed. Before it
 * stands every test that passed at its second try only, with what failed at the first: a flaw to be mended.
 */
export default class ClosingLineReporter implements Reporter {
  #vitest: Vitest | undefined;
  #count = { passed: 0, failed: 0, skipped: 0, pending: 0 };
  #ended = false;
  #unsteady: string[] = [];

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
    process.once('exit', (code) => this.#close(code));
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[], reason: TestRunEndReason): void {
    this.#ended = reason !== 'interrupted';
    this.#count = { passed: 0, failed: errors.length, skipped: 0, pending: 0 };
    this.#unsteady = [];
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        this.#count[test.result().state]++;
        if (test.diagnostic()?.flaky === true) this.#unsteady.push(unsteady(test));
      }
      for (const suite of [module, ...module.children.allSuites()]) if (suite.errors().length > 0) this.#count.failed++;
    }
  }

  #close(code: number): void {
    const { passed, skipped, pending } = this.#count;
    let failed = this.#count.failed + pending;
    if (failed === 0 && (code !== 0 || !this.#ended)) failed = 1;
    if (failed === 0 && passed + skipped < fewestTests && this.#vitest !== undefined && isWhole(this.#vitest)) {
      process.stdout.write(`a whole run has at least ${fewestTests} tests: are all projects and patterns there?\n`);
      failed = 1;
    }
    if (failed > 0) process.exitCode = code === 0 ? 1 : code;
    if (this.#unsteady.length > 0)
      process.stdout.write(`${this.#unsteady.length} passed only when tried again:\n${this.#unsteady.join('')}`);
    process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
  }
}

/** As much of a failure as helps to mend it: what a program printed last stands at its end. */
const TOLD_LINES = 40;

/** Where it is, how often it was tried again, and what failed. */
function unsteady(test: TestCase): string {
  const [error] = test.result().errors ?? [];
  const told = [error?.message ?? '', stripVTControlCharacters(error?.diff ?? '')].join('\n').trim();
  const why = error === undefined ? '' : `:\n${told.split('\n').slice(-TOLD_LINES).join('\n')}`;
  return `  ${test.module.relativeModuleId} > ${test.fullName} (${test.diagnostic()?.retryCount} more)${why}\n`;
}

/** Nothing on the command line chose among projects, files or names. */
function isWhole(vitest: Vitest): boolean {
  const { project, testNamePattern, shard, related, changed } = vitest.config;
  const chosen = (vitest as { filenamePattern?: string[] }).filenamePattern ?? [];
  return [project, chosen].every((list) => list.length === 0) && !testNamePattern && !shard && !related && !changed;
}
