import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { systemFolder } from '../testing/processes/folder.ts';
import { startInFolder, type RunningSystem } from '../testing/system/in-folder.ts';
import { chainOf, countEnded, fanOf } from '../testing/system/workflows.ts';

// A run of so many steps, one after the other; then so many runs at once, of four steps each; killed in the middle of each where that is asked for.
const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '1000' },
    runs: { type: 'string', default: '1000' },
    callers: { type: 'string', default: '16' },
    kill: { type: 'boolean', default: false },
  },
});
const [steps, runs, callers] = [values.steps, values.runs, values.callers].map(Number) as [number, number, number];
const WIDTH = 4;

const folder = await systemFolder();
let system: RunningSystem = await startInFolder(folder.path, {});
try {
  const long = await make('/workflows', chainOf(steps));
  const wide = await make('/workflows', fanOf(WIDTH));
  const [first] = await timed(() => make(`/workflows/${long}/runs`, { inputs: { label: 'long' } }));
  if (values.kill) await killWhen(5_000);
  const longSeconds = first.seconds + (await untilEnded(long, 1));
  const [started] = await timed(() =>
    Promise.all(
      Array.from({ length: callers }, async (_, caller) => {
        for (let run = caller; run < runs; run += callers)
          await make(`/workflows/${wide}/runs`, { inputs: { label: `wide ${run}` } });
      }),
    ),
  );
  if (values.kill) await killWhen(5_000);
  const wideSeconds = started.seconds + (await untilEnded(wide, runs));
  const titles = new Map<string, number>();
  for await (const { title } of system.client.list<{ title: string }>('/tasks?label=by-workflow&limit=100'))
    titles.set(title, (titles.get(title) ?? 0) + 1);
  const expected = Math.ceil(steps / 2) + runs * WIDTH;
  const twice = [...titles.values()].filter((count) => count > 1).length;
  console.table([
    { what: `one run of ${steps} steps`, seconds: round(longSeconds), 'steps/s': round(steps / longSeconds) },
    { what: `${runs} runs of ${WIDTH} steps`, seconds: round(wideSeconds), 'steps/s': round((runs * WIDTH) / wideSeconds), 'started in s': round(started.seconds) }, // prettier-ignore
  ]);
  console.log(`${titles.size} of ${expected} tasks, ${twice} of them twice`);
  await system.stop();
} finally {
  system.program.signal('SIGKILL');
  await folder.remove();
}

async function make(path: string, body: object): Promise<string> {
  return String((await system.client.expect2xx('POST', path, { body })).body['id']);
}

async function timed<Result>(action: () => Promise<Result>) {
  const begun = performance.now();
  const result = await action();
  return [{ seconds: (performance.now() - begun) / 1_000, result }] as const;
}

async function killWhen(milliseconds: number): Promise<void> {
  await pause(milliseconds);
  system.program.signal('SIGKILL');
  await system.program.ended;
  system = await startInFolder(folder.path, {});
}

/** @returns seconds until so many runs of a workflow have ended */
async function untilEnded(workflowId: string, count: number): Promise<number> {
  const begun = performance.now();
  for (let told = begun; ; await pause(1_000)) {
    const ended = await countEnded(system.client, workflowId);
    if (ended >= count) break;
    if (performance.now() - told < 30_000) continue;
    told = performance.now();
    console.log(`${Math.round((told - begun) / 1_000)} s: ${ended} of ${count} runs have ended`);
  }
  return (performance.now() - begun) / 1_000;
}

function round(value: number): number {
  return Math.round(10 * value) / 10;
}
