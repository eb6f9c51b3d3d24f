import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Promised } from './list-promises.ts';
import { runProgram } from './run-program.ts';

export type Finding = { readonly found: boolean; readonly detail: string };

type Report = {
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly failureMessages: readonly string[] }[];
  }[];
};

/** Plants one defect in the copy, runs its promise's test, and takes the defect out again. */
export async function tryDefect(copy: string, { name, test, patch }: Promised): Promise<Finding> {
  if (test === null) return notFound('the defect has no promise: there is no test file of this name');
  if (patch === null) return notFound(`no defect is kept for it: write infra/guarantees/defects/${name}.patch`);
  const touched = (await readFile(patch, 'utf8')).match(/^\+\+\+ .*$/gm) ?? [];
  if (touched.some((line) => line.includes('infra/guarantees/')))
    return notFound('the defect must be in the product, not in the tests');
  const planted = await runProgram('git', ['apply', '--whitespace=nowarn', patch], copy);
  if (planted.exitCode !== 0) return notFound(`the patch does not apply any more: ${oneLine(planted.errors)}`);
  try {
    return await runTest(copy, test);
  } finally {
    await runProgram('git', ['apply', '--whitespace=nowarn', '--reverse', patch], copy);
  }
}

async function runTest(copy: string, test: string): Promise<Finding> {
  const outcome = join(copy, 'outcome.json');
  await rm(outcome, { force: true });
  const vitest = join(copy, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', '--project', 'guarantees', test, '--reporter', 'json', '--outputFile', outcome];
  const { output, errors } = await runProgram(process.execPath, args, copy);
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
  return notFound(numFailedTests === 0 ? 'the test passes all the same' : 'failed without a reason');
}

const notFound = (detail: string): Finding => ({ found: false, detail });

const oneLine = (text: string): string => text.trim().split('\n    at ')[0]!.replace(/\s+/g, ' ').slice(0, 300);
