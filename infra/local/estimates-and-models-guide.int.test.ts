import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemFolder, type SystemFolder } from '../testing/processes/folder.ts';
import { createShellRepository, shellRegistration } from '../testing/repository/shell-repository.ts';
import { runGuide } from '../testing/system/guide.ts';
import { startInFolder, type RunningSystem } from '../testing/system/in-folder.ts';

let folder: SystemFolder;
let system: RunningSystem;
beforeAll(async () => {
  folder = await systemFolder();
  createShellRepository(join(folder.path, 'greeter'));
  const url = 'http://127.0.0.1:9/v1';
  system = await startInFolder(folder.path, {
    outbound: { privateHosts: ['127.0.0.1:9'] },
    models: [
      { name: 'small', url, model: 's', inputUsd: 1, outputUsd: 5 },
      { name: 'large', url, model: 'l', inputUsd: 10, outputUsd: 50 },
    ],
    repositories: [{ ...shellRegistration, url: join(folder.path, 'greeter') }],
  });
}, 60_000);
afterAll(() => folder.remove());

test('the guide to estimates and models does what it says, by its own lines', async () => {
  const environment = { WORKLEDGER: system.url, KEY: system.key, REPOSITORY: 'greeter' };
  const { code, output } = await runGuide('estimates-and-models.md', { cwd: folder.path, environment });
  expect({ code, output }).toMatchObject({ code: 0 });
  const [complexity, revision, model, reason, outcome, succeeded] = output.trim().split('\n');
  const guide = await readFile(new URL('../docs/guides/estimates-and-models.md', import.meta.url), 'utf8');
  expect(guide).toContain(complexity);
  expect(['small', 'large']).toContain(model);
  expect(reason).toMatch(/nothing recorded, \$[\d.e-]+ a try, \d+ % likely the best of 2/);
  expect([revision, outcome, succeeded]).toEqual(['1', '1', 'true']);
}, 60_000);

test("every route that the page of other systems' APIs leads to is there", async () => {
  const page = await readFile(new URL('../docs/guides/seeds.md', import.meta.url), 'utf8');
  const { paths } = (await (await fetch(`${system.url}/api/v1/openapi.json`)).json()) as {
    paths: Readonly<Record<string, object>>;
  };
  // The last cell of a row is ours.
  const cells = page.split('\n').flatMap((line) => (line.startsWith('|') ? [line.split('|').at(-2)!] : []));
  const routes = cells.flatMap((cell) => [...cell.matchAll(/`(GET|POST|PUT|PATCH|DELETE) (\/[^`\s]+)`/g)]);
  expect(routes.length).toBeGreaterThan(50);
  const missing = routes.filter(([, method, path]) => !Object.hasOwn(paths[path!] ?? {}, method!.toLowerCase()));
  expect(missing.map(([route]) => route)).toEqual([]);
  expect(await system.stop()).toBe(0);
}, 60_000);
