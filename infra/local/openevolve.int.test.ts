import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  CHECK,
  doubling,
  findPackages,
  lendPackages,
  MEASURE,
  SEARCH,
} from '@workledger/sagas/components/evolution/testing.ts';
import { startScriptedModel } from '../testing/models/scripted-model.ts';
import { systemFolder, type SystemFolder } from '../testing/processes/folder.ts';
import { createBareOrigin, createUserRepository, git } from '../testing/repository/git.ts';
import { scriptAgent } from '../testing/repository/shell-repository.ts';
import { startInFolder, type RunningSystem } from '../testing/system/in-folder.ts';
import { createTask, finalTask } from '../testing/system/tasks.ts';

const place = await findPackages();

describe.skipIf(place === null)('a task whose work OpenEvolve improves, as a user configures it', () => {
  let folder: SystemFolder;
  let origin: string;
  let system: RunningSystem;
  let model: Awaited<ReturnType<typeof startScriptedModel>>;

  beforeAll(async () => {
    folder = await systemFolder();
    model = await startScriptedModel((asked) => doubling(asked, 1));
    const person = join(folder.path, 'person');
    createUserRepository(person, { 'src/search.py': SEARCH, 'test/check.py': CHECK, 'test/measure.py': MEASURE });
    origin = createBareOrigin(person);
    lendPackages(place ?? '', join(folder.path, '.workledger'));
    const openevolve = { file: 'src/search.py', model: 'scripted', iterations: 4, parallel: 1, otherwise: 'fail' };
    system = await startInFolder(
      folder.path,
      {
        models: [
          { name: 'scripted', url: model.url, model: 'x-1', key: { env: 'MODEL_KEY' }, inputUsd: 10, outputUsd: 100 },
        ],
        outbound: { privateHosts: [model.host] },
        repositories: [
          {
            ...{ name: 'search', url: origin, merge: 'fast-forward', protectedPaths: ['test'] },
            ...{ test: ['python3', 'test/check.py'], evaluate: ['python3', 'test/measure.py'] },
            evolve: { metric: 'steps', direction: 'minimize', measurements: 2, openevolve },
          },
        ],
        agents: [scriptAgent('shell', 'echo noted >> NOTES')],
      },
      { MODEL_KEY: 'sk-of-the-test-alone' },
    );
  }, 60_000);
  afterAll(async () => {
    await model.stop();
    await folder.remove();
  });

  test(
    'is merged with the better program, judged as any candidate, and tells what it cost',
    { timeout: 120_000 },
    async () => {
      const task = await finalTask(
        system.client,
        await createTask(system.client, 'search', { title: 'Search faster', capabilities: ['shell'] }),
      );
      expect(task).toMatchObject({ state: 'complete', result: { merged: true } });
      expect(Number(/^STRIDE = (\d+)$/m.exec(git(origin, 'show', 'main:src/search.py'))?.[1])).toBeGreaterThan(1);
      expect(model.asked).toHaveLength(4);
      const [{ id = '' } = {}] = (task as unknown as { evolutions: { id: string }[] }).evolutions;
      type Told = { plan: object; costUsd: number; generations: { candidates: object[] }[] };
      const told = await system.client.find<Told>(`/evolutions/${id}`, {});
      expect(told).toMatchObject({ plan: { openevolve: { iterations: 4 }, candidates: 1 }, costUsd: 0.08 });
      expect(told?.generations.flatMap(({ candidates }) => candidates)).toMatchObject([
        { id: '1.1', state: 'evaluated' },
      ]);
      const health = (await (await fetch(`${system.url}/health`)).json()) as { details: { components: object } };
      expect(health.details.components).toMatchObject({ 'model scripted': { up: true } });
      expect(system.program.written.output).not.toContain('sk-of-the-test-alone');
    },
  );
});
