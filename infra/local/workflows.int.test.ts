import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemFolder, type SystemFolder } from '../testing/processes/folder.ts';
import { untilTrue } from '../testing/processes/until.ts';
import { runGuide } from '../testing/system/guide.ts';
import { startInFolder, type RunningSystem } from '../testing/system/in-folder.ts';
import { chainOf, countEnded, fanOf } from '../testing/system/workflows.ts';

let folder: SystemFolder;
let system: RunningSystem;
beforeAll(async () => {
  folder = await systemFolder();
  system = await startInFolder(folder.path, {});
}, 60_000);
afterAll(() => folder.remove());

const make = async (path: string, body: object): Promise<string> =>
  String((await system.client.expect2xx('POST', path, { body })).body['id']);

test('the guide to workflows, by its own lines; and runs of many steps, and many runs, go on after kill -9: every step takes effect once', async () => {
  const environment = { WORKLEDGER: system.url, KEY: system.key };
  const { code, output } = await runGuide('workflows.md', { cwd: folder.path, environment });
  expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('remark succeeded') });
  expect(output).toContain('/steps/0/after: these steps wait for one another: a → b → a');

  const long = await make('/workflows', chainOf(100));
  const wide = await make('/workflows', fanOf(4));
  const runs = [await make(`/workflows/${long}/runs`, { inputs: { label: 'long' } })];
  for (let count = 0; count < 100; count++)
    runs.push(await make(`/workflows/${wide}/runs`, { inputs: { label: `wide ${count}` } }));
  // Some are done, some are under way, some have not begun.
  system.program.signal('SIGKILL');
  await system.program.ended;
  system = await startInFolder(folder.path, {});
  await untilTrue(async () => (await countEnded(system.client, long)) === 1 && (await countEnded(system.client, wide)) === 100, 150); // prettier-ignore

  const { body } = await system.client.expect2xx('GET', `/workflow-runs/${runs[0]}`);
  const steps = body['steps'] as readonly { readonly state: string; readonly round: number }[];
  expect(steps.map(({ state, round }) => `${state} ${round}`)).toEqual(Array(100).fill('succeeded 1'));
  const titles: string[] = [];
  for await (const { title } of system.client.list<{ title: string }>('/tasks?label=by-workflow')) titles.push(title);
  const expected = [
    ...Array.from({ length: 50 }, (_, number) => `long ${2 * number}`),
    ...Array.from({ length: 100 }, (_, run) => [0, 1, 2, 3].map((number) => `wide ${run} ${number}`)).flat(),
  ];
  expect(titles.toSorted()).toEqual(expected.toSorted());
  expect(await system.stop()).toBe(0);
}, 240_000);
