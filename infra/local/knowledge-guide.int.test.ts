import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemFolder, type SystemFolder } from '../testing/processes/folder.ts';
import { until } from '../testing/processes/until.ts';
import { runGuide } from '../testing/system/guide.ts';
import { startInFolder, type RunningSystem } from '../testing/system/in-folder.ts';

let folder: SystemFolder;
let system: RunningSystem;
beforeAll(async () => {
  folder = await systemFolder();
  system = await startInFolder(folder.path, {});
}, 60_000);
afterAll(() => folder.remove());

test('the guide to knowledge does what it says, by its own lines', async () => {
  const environment = { WORKLEDGER: system.url, KEY: system.key };
  const { code, output } = await runGuide('knowledge.md', { cwd: folder.path, environment });
  expect({ code, output }).toEqual({ code: 0, output: expect.any(String) });
  const found = [...output.matchAll(/\[ '[^\]]*' \]/g)].map(([titles]) => titles);
  expect(found).toEqual(["[ 'Connection pools' ]", "[ 'Sicherungen' ]", "[ 'Connection pools' ]", "[ 'Sicherungen' ]"]);
  const archived = await until('what is archived to be listed', async () => {
    const { body } = await system.client.expect2xx('GET', '/knowledge?archived=true');
    return (body['items'] as object[]).length > 0 && body['items'];
  });
  expect(archived).toEqual([expect.objectContaining({ title: 'Sicherungen', reason: 'moved to the handbook' })]);
  expect(await system.stop()).toBe(0);
}, 60_000);
