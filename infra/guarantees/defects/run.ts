import { rm } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { copyTree } from './copy-tree.ts';
import { listPromises, type Promised } from './list-promises.ts';
import { notFound, tryDefect, type Finding } from './try-defect.ts';
import { withTestServer } from './with-test-server.ts';

const HELP = `Plants each promise's defect in a copy of the tree and demands that this promise's own test fails on it, by an assertion.

Usage: npm run guarantees:defects -- [options]

  --only NAME   only this promise or defect (those whose name contains NAME); may be given several times
  --keep        keep the copy of the tree, and say where it is
  --help        this text

Exit code 0: every defect was found; 1: one was not, does not apply, or is missing; 2: wrong usage.
`;

async function main(): Promise<void> {
  const options = readOptions();
  if (options.help === true) return void process.stdout.write(HELP);
  const { only = [] } = options;
  const isMeant = (name: string): boolean => only.length === 0 || only.some((part) => name.includes(part));
  const attempts = (await listPromises()).flatMap(attemptsOf).filter(({ name }) => isMeant(name));
  if (attempts.length === 0) throw new Error(`no promise and no defect is called so: ${only.join(', ')}`);
  const failures = await withTestServer(() => tryAll(attempts, options.keep === true));
  process.stdout.write(`${attempts.length - failures} of ${attempts.length} defects found\n`);
  if (failures > 0) process.exitCode = 1;
}

type Attempt = { readonly name: string; run(copy: string): Promise<Finding> };

/** One a defect; a promise or a defect that stands alone fails in its place. */
function attemptsOf({ name, test, defects }: Promised): Attempt[] {
  const missing = `no defect is kept for it: write infra/guarantees/defects/${name}.patch`;
  if (defects.length === 0) return [{ name, run: () => Promise.resolve(notFound(missing)) }];
  return defects.map((defect) => ({
    name: defect.name,
    run: (copy) =>
      test === null
        ? Promise.resolve(notFound('the defect has no promise: there is no test file of this name'))
        : tryDefect(copy, test, defect),
  }));
}

async function tryAll(attempts: readonly Attempt[], keep: boolean): Promise<number> {
  const copy = await copyTree();
  let failures = 0;
  try {
    for (const { name, run } of attempts) {
      const startedAt = performance.now();
      const { found, detail } = await run(copy);
      if (!found) failures++;
      const seconds = `${Math.round((performance.now() - startedAt) / 1000)} s`;
      process.stdout.write(`${found ? 'found    ' : 'NOT FOUND'}  ${seconds.padStart(5)}  ${name}\n`);
      process.stdout.write(`                  ${detail}\n`);
    }
  } finally {
    if (keep) process.stdout.write(`the copy of the tree is in ${copy}\n`);
    else await rm(copy, { recursive: true, force: true });
  }
  return failures;
}

function readOptions(): { only?: string[]; keep?: boolean; help?: boolean } {
  try {
    return parseArgs({
      options: {
        only: { type: 'string', multiple: true },
        keep: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${HELP}`);
    process.exit(2);
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
});
