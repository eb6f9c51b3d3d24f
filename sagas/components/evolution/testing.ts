import { mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { modelSchema } from '@workledger/shared/config/models.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { startScriptedModel, type AskedModel, type Scripted } from '@workledger/infra/testing/models/scripted-model.ts';
import { commitAsUser, git } from '@workledger/infra/testing/repository/git.ts';
import { createTestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { createPostgresArtefacts } from '@workledger/shared/artefacts/postgres/artefacts.ts';
import { artefactMigrations } from '@workledger/shared/artefacts/postgres/migrations.ts';
import { sagaMigrations } from '../../engine/migrations.ts';
import { createComponents } from '../catalogue.ts';
import { createAnswers } from '../models/answers.ts';
import { createModels } from '../models/models.ts';
import { openModels } from '../models/providers.ts';
import type { Sandbox } from '../sandbox/policy.ts';
import { createCodeWorld } from '../testing.ts';
import type { OpenEvolveRequest } from './request.ts';
import { openEvolvePackages } from './packages.ts';

/** As a data folder, and kept from one test run to the next. */
const KEPT = join(import.meta.dirname, '../../../.workledger');

/**
 * The pinned packages, fetched once for all runs as a runner fetches them; null: Python or PyPI cannot be had here, and a line says so.
 * @throws Error where they must be there (WORKLEDGER_REQUIRE=1)
 */
export async function findPackages(): Promise<string | null> {
  const { place, why } = await fetchPackages();
  if (place === null && process.env['WORKLEDGER_REQUIRE'] === '1') throw new Error(`OpenEvolve is required: ${why}`);
  if (place === null) process.stdout.write(`skipped, OpenEvolve cannot be had here: ${why}\n`);
  return place;
}

async function fetchPackages(): Promise<{ readonly place: string | null; readonly why: string }> {
  const { signal } = new AbortController();
  return openEvolvePackages(KEPT, 'test', signal).then(
    ({ folder }) => ({ place: folder, why: '' }),
    (error: unknown) => ({ place: null, why: (error as Error).message }),
  );
}

/** A search that is right with any stride, and takes the fewest steps with one of about 16. */
export const SEARCH = `"""Finds where a value stands in a list in order."""
STRIDE = 1


def find(values, wanted, probe):
    at = 0
    while at + STRIDE < len(values) and probe(values[at + STRIDE]) <= wanted:
        at += STRIDE
    while probe(values[at]) < wanted:
        at += 1
    return at
`;
export const CHECK = `import sys
sys.dont_write_bytecode = True
sys.path.insert(0, 'src')
from search import find
values = list(range(0, 512, 2))
assert all(find(values, wanted, lambda value: value) == wanted // 2 for wanted in values), 'find is wrong'
`;
export const MEASURE = `import json, sys
sys.dont_write_bytecode = True
sys.path.insert(0, 'src')
from search import find
steps = 0
def probe(value):
    global steps
    steps += 1
    return value
values = list(range(0, 512, 2))
for wanted in values[::16]:
    find(values, wanted, probe)
print(json.dumps({'steps': steps}))
`;

const strideIn = ({ body }: AskedModel): number => {
  const prompt = body.messages.at(-1)?.content ?? '';
  return Number(/^STRIDE = (\d+)$/m.exec(prompt.slice(prompt.lastIndexOf('# Current Program')))?.[1] ?? 1);
};
const diff = (search: string, replace: string): string =>
  `I change this:\n\n<<<<<<< SEARCH\n${search}\n=======\n${replace}\n>>>>>>> REPLACE\n`;

/** Doubles the stride of whatever program it is shown; the third answer is no change, the fourth a program that is fast and wrong. */
export const doubling = (asked: AskedModel, number: number): Scripted => {
  const stride = strideIn(asked);
  if (number === 3) return { text: 'I would leave it as it is.' };
  if (number === 4) return { text: diff('    at = 0', '    return 0\n    at = 0') };
  return { text: diff(`STRIDE = ${stride}`, `STRIDE = ${stride * 2}`) };
};

/** What was fetched once is there in a data folder: nothing is fetched there. @param place as `findPackages` says */
export function lendPackages(place: string, dataFolder: string): void {
  const wanted = join(dataFolder, relative(KEPT, place));
  mkdirSync(dirname(wanted), { recursive: true });
  symlinkSync(place, wanted);
}

export type EvolutionWorld = Awaited<ReturnType<typeof createEvolutionWorld>>;

/** A repository with a slow search, a model that a test writes, and the components over them. */
export async function createEvolutionWorld(
  place: string,
  script: Parameters<typeof startScriptedModel>[0],
  { sandbox = null, protectedPaths = ['test'] }: { sandbox?: Sandbox | null; protectedPaths?: string[] } = {},
) {
  const database = await createTestDatabase();
  await migrate(database.url, 'artefacts', artefactMigrations);
  await migrate(database.url, 'sagas', sagaMigrations);
  const model = await startScriptedModel(script);
  const outbound = { allowHosts: [], privateHosts: [model.host] };
  process.env['WORKLEDGER_TEST_MODEL_KEY'] = 'sk-of-the-test-alone';
  const configured = modelSchema.parse({
    ...{ name: 'scripted', url: model.url, model: 'scripted-1', inputUsd: 10, outputUsd: 100 },
    key: { env: 'WORKLEDGER_TEST_MODEL_KEY' },
  });
  const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined };
  const providers = await openModels({ models: [configured], outbound }, '/');
  const models = createModels(providers, createAnswers(database.pool), { logger, waitMilliseconds: 10 });
  const world = createCodeWorld(createPostgresArtefacts(database.pool), {
    repository: {
      ...{ test: ['python3', 'test/check.py'], evaluate: ['python3', 'test/measure.py'], protectedPaths },
      limits: { timeoutSeconds: 60 },
    },
    sandbox,
    create: (environment) => createComponents({ ...environment, models }),
  });
  const files = { 'src/search.py': SEARCH, 'test/check.py': CHECK, 'test/measure.py': MEASURE };
  const base = commitAsUser(world.user, files, 'A slow search');
  git(world.user, 'push', '--quiet', 'origin', 'HEAD:main');
  lendPackages(place, world.dataFolder);
  const request = (
    openevolve: Partial<OpenEvolveRequest['openevolve']> = {},
    plan: Partial<OpenEvolveRequest['plan']> = {},
  ): Omit<OpenEvolveRequest, 'taskId' | 'runId' | 'repository'> => ({
    ...{ parent: base, base, label: 'candidate-1.1', current: { steps: 4_000 } },
    plan: { metric: 'steps', direction: 'minimize', target: null, budgetUsd: null, ...plan },
    openevolve: {
      ...{ file: 'src/search.py', model: 'scripted', iterations: 10, checkpointEvery: 2, parallel: 1 },
      ...{ timeoutSeconds: 120, otherwise: 'fail', ...openevolve },
    },
  });
  return {
    ...{ ...world, base, model, models, request },
    fileAt: (commit: string): string => git(world.bare, 'show', `${commit}:src/search.py`),
    dispose: async () => {
      await model.stop();
      await world.remove();
      await database.drop();
    },
  };
}

/** The OpenEvolve that works below a folder; its workers are its children. */
export function openEvolveOf(folder: string): number | undefined {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const isIts = readlinkSync(`/proc/${pid}/cwd`).startsWith(folder);
        return isIts && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('openevolve.cli');
      } catch {
        return false;
      }
    })
    .map(Number);
  return all.find((pid) => !all.includes(parentOf(pid)));
}

function parentOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1]);
}
