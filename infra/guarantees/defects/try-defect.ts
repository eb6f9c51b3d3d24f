import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Defect } from './list-promises.ts';
import { runProgram } from '../../testing/processes/run-program.ts';

export type Finding = { readonly found: boolean; readonly detail: string };

type Report = {
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
};

/** Plants one defect in the copy, runs its promise's test (of it only where it must be found), and takes it out again. */
export async function tryDefect(copy: string, test: string, { patch, foundBy }: Defect): Promise<Finding> {
  const touched = (await readFile(patch, 'utf8')).match(/^\+\+\+ .*$/gm) ?? [];
  if (touched.some((line) => line.includes('infra/guarantees/')))
    return notFound('the defect must be in the product, not in the tests');
  const planted = await runProgram('git', ['apply', '--whitespace=nowarn', patch], copy);
  if (planted.exitCode !== 0) return notFound(`the patch does not apply any more: ${oneLine(planted.errors)}`);
  try {
    return await runTest(copy, test, foundBy);
  } finally {
    await runProgram('git', ['apply', '--whitespace=nowarn', '--reverse', patch], copy);
  }
}

async function runTest(copy: string, test: string, foundBy: string): Promise<Finding> {
  const outcome = join(copy, 'outcome.json');
  await rm(outcome, { force: true });
  const vitest = join(copy, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', '--project', 'integration', test, '--reporter', 'json', '--outputFile', outcome];
  if (foundBy !== '') args.push('--testNamePattern', foundBy.replace(/[^\w\s]/g, '\\$&'));
  // Where no test is named, the engine that starts at once will do.
  const engines = foundBy === '' ? { WORKLEDGER_ENGINES: 'embedded' } : {};
  const environment = { ...engines, WORKLEDGER_FULL_LENGTH: '1', ...process.env };
  const { output, errors } = await runProgram(process.execPath, args, copy, environment);
  const text = await readFile(outcome, 'utf8').catch(() => null);
  if (text === null) return notFound(`the test did not run: ${oneLine(errors || output)}`);
  return judge(JSON.parse(text) as Report);
}

/** Only an assertion counts: a crash or a timeout may have any reason. */
function judge({ numFailedTests, testResults }: Report): Finding {
  const failures = testResults.flatMap(({ assertionResults }) =>
    assertionResults.flatMap(({ fullName, failureMessages }) =>
      failureMessages.map((message) => ({ fullName, message })),
    ),
  );
  const assertion = failures.find(({ message }) => message.startsWith('AssertionError'));
  if (assertion !== undefined)
    return { found: true, detail: `"${assertion.fullName}": ${oneLine(assertion.message.slice(16))}` };
  const other = failures[0]?.message ?? testResults.map(({ message }) => message).find((message) => message !== '');
  if (other !== undefined) return notFound(`failed, but by no assertion: ${oneLine(other)}`);
  const isRun = testResults.some(({ assertionResults }) => assertionResults.some(({ status }) => status === 'passed'));
  if (!isRun)
    return notFound('no test was run: does a test have the name that the patch says, and is its server there?');
  return notFound(numFailedTests === 0 ? 'the test passes all the same' : 'failed without a reason');
}

export const notFound = (detail: string): Finding => ({ found: false, detail });

const oneLine = (text: string): string => text.trim().split('\n    at ')[0]!.replace(/\s+/g, ' ').slice(0, 300);
