import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');
const GUARANTEES = 'infra/guarantees';

/** Promises that lean on what a log does: those that are tried with the log in EventStoreDB, too. */
async function promises(): Promise<string[]> {
  const files = (await readdir(join(ROOT, GUARANTEES))).filter((file) => file.endsWith('.test.ts'));
  const texts = await Promise.all(files.map((file) => readFile(join(ROOT, GUARANTEES, file), 'utf8')));
  return files.filter((_, index) => /ngines?OfEveryLog/.test(texts[index]!)).map((file) => `${GUARANTEES}/${file}`);
}

// All that is tested of EventStoreDB, and of the promises only what has its log there: on the server that EVENTSTOREDB_URL names,
// else on the double. Arguments are vitest's.
const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
const chosen = ['run', '--project', 'integration', '--project', 'guarantees', 'shared/event-log/eventstoredb'];
const child = spawn(process.execPath, [vitest, ...chosen, ...(await promises()), ...process.argv.slice(2)], {
  cwd: ROOT,
  env: { ...process.env, WORKLEDGER_ENGINES: 'eventstoredb' },
  stdio: 'inherit',
});
child.once('exit', (code) => (process.exitCode = code ?? 1));
