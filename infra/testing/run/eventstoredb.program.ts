import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../../..');
const GUARANTEES = 'infra/guarantees';

/** Promises that lean on what a log does: those that are tried with the log in EventStoreDB, too. */
async function promises(): Promise<string[]> {
  const files = (await readdir(join(ROOT, GUARANTEES))).filter((file) => file.endsWith('.test.ts'));
  const texts = await Promise.all(files.map((file) => readFile(join(ROOT, GUARANTEES, file), 'utf8')));
  return files
    .filter((_, index) => /ngines?OfEveryLog|name: 'eventstoredb'/.test(texts[index]!))
    .map((file) => `${GUARANTEES}/${file}`);
}

const run = (files: readonly string[]): Promise<number> =>
  new Promise((resolveCode) => {
    const args = [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'integration', ...files];
    const env = { ...process.env, WORKLEDGER_ENGINES: 'eventstoredb' };
    const child = spawn(process.execPath, [...args, ...process.argv.slice(2)], { cwd: ROOT, env, stdio: 'inherit' });
    child.once('exit', (code) => resolveCode(code ?? 1));
  });

// All that is tested of EventStoreDB, and of the promises only what has its log there: on the server that EVENTSTOREDB_URL names,
// else on the double. Arguments are vitest's.
process.exitCode = await run([...(await promises()), 'shared/event-log/eventstoredb']);
