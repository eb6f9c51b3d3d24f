import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import HeaviestFirst from './infra/testing/run/heaviest-first.ts';

const exclude = [...configDefaults.exclude, '**/.workledger/**', 'infra/guarantees/defects/**'];

/** Real processes on a busy machine: CI gives a test of the whole system a second chance; a developer sees every failure. */
const retry = process.env['CI'] === undefined ? 0 : 1;

/** A worker keeps what it has loaded for its next file: a test leaves nothing changed behind. Loading was a fifth of the CPU's work. */
const isolate = false;

export default defineConfig({
  test: {
    // Much of the time goes to waiting for a server, a timer or a disk: five at a time pay on two cores, too.
    maxWorkers: Math.max(5, availableParallelism() - 1),
    // A long file that began last would run alone at the end.
    sequence: { sequencer: HeaviestFirst },
    reporters: ['default', './infra/testing/run/closing-line-reporter.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          isolate,
          testTimeout: 60_000,
          include: ['**/*.test.ts'],
          exclude: [...exclude, '**/*.int.test.ts', 'infra/guarantees/**'],
        },
      },
      {
        test: {
          name: 'integration',
          isolate,
          include: ['**/*.int.test.ts', 'infra/guarantees/*.test.ts'],
          exclude,
          globalSetup: './infra/testing/run/servers-setup.ts',
          setupFiles: './infra/testing/run/promises-setup.ts',
          // Each file has databases, topics and folders of its own, but for a real EventStoreDB: there one sees another's events.
          fileParallelism: process.env['EVENTSTOREDB_URL'] === undefined,
          retry,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
