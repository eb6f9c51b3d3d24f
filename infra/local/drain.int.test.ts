import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemFolder, type SystemFolder } from '../testing/processes/folder.ts';
import { noProcessesOf } from '../testing/processes/processes.ts';
import { startProgram } from '../testing/processes/program.ts';
import { startInFolder, type RunningSystem } from '../testing/system/in-folder.ts';
import { createTask, finalTask, type Task } from '../testing/system/tasks.ts';
import {
  createShellRepository,
  scriptAgent,
  shellRegistration,
  writeRightGreet,
} from '../testing/repository/shell-repository.ts';

/** Time enough to hand over what an agent made, on a busy machine; what never ends is waited for as long. */
const DRAIN_SECONDS = 12;

let folder: SystemFolder;
let configuration: Readonly<Record<string, unknown>>;
beforeAll(async () => {
  folder = await systemFolder();
  const repository = join(folder.path, 'greeter');
  createShellRepository(repository);
  const marker = (name: string): string => join(folder.path, name);
  configuration = {
    repositories: [{ ...shellRegistration, url: repository }],
    agents: [
      // The first time it works until it may end.
      scriptAgent(
        'steady',
        `touch "${marker('steady')}"; until [ -e "${marker('may-end')}" ]; do sleep 0.1; done; ${writeRightGreet}`,
        { write: [folder.path] },
      ),
      // The first time it works for longer than anybody waits.
      scriptAgent('long', `if mkdir "${marker('long')}" 2>/dev/null; then sleep 900; fi; ${writeRightGreet}`, {
        write: [folder.path],
        limits: { timeoutSeconds: 900 },
      }),
    ],
  };
});
afterAll(() => folder.remove());

async function atWork(system: RunningSystem, agent: string): Promise<string> {
  const id = await createTask(system.client, 'greeter', { title: `Greet (${agent})`, capabilities: [agent] });
  while (!existsSync(join(folder.path, agent))) await pause(50);
  return id;
}

const ofTask = async ({ client }: RunningSystem, id: string, type: string) =>
  (await client.log()).filter(
    (event) => event.type === type && JSON.stringify([event.stream, event.data]).includes(id),
  );

test('a stop lets an agent finish within drainSeconds, ends and counts another after them, and the next start goes on with all', async () => {
  const system = await startInFolder(folder.path, { ...configuration, drainSeconds: DRAIN_SECONDS });
  const [steady, long] = [await atWork(system, 'steady'), await atWork(system, 'long')];
  const stopper = startProgram('infra/local/start.ts', ['--stop'], { cwd: folder.path });
  const next = createTask(system.client, 'greeter', { title: 'Not begun', capabilities: ['steady'] });
  await system.program.until(new RegExp(`waiting for code.work of task ${steady}`));
  writeFileSync(join(folder.path, 'may-end'), '');
  expect([await stopper.ended, stopper.written.stderr]).toEqual([0, '']);
  expect(stopper.written.stdout).toMatch(/process \d+ was asked to stop\n(.*\n)*stopped\n$/);
  expect(await system.program.ended).toBe(0);
  expect(system.program.written.stdout).toContain(`waiting for code.work of task ${long}`);
  await noProcessesOf(folder.path);

  const nobody = startProgram('infra/local/start.ts', ['--stop'], { cwd: folder.path });
  expect([await nobody.ended, nobody.written.stderr]).toEqual([1, expect.stringContaining('no Workledger runs on')]);

  const again = await startInFolder(folder.path, configuration);
  const interruptions = async (task: Task) => {
    const { body } = await again.client.expect2xx('GET', `/pipelines/${task.pipelines[0]?.id}`);
    return [...JSON.stringify(body).matchAll(/"interrupted":([1-9]\d*)/g)].map(([, times]) => times);
  };
  const finished = await finalTask(again.client, steady);
  expect(finished).toMatchObject({ state: 'complete' });
  expect(await finalTask(again.client, await next)).toMatchObject({ state: 'complete' });
  expect(await ofTask(again, steady, 'GenerationAttemptStarted')).toHaveLength(1);
  expect(await interruptions(finished)).toEqual([]);

  // Begun anew, without a try of the task lost.
  const ended = await finalTask(again.client, long);
  expect(ended).toMatchObject({ state: 'complete', attempts: 1 });
  expect(await ofTask(again, long, 'GenerationAttemptStarted')).toHaveLength(1);
  expect(await interruptions(ended)).toEqual(['1']);
  expect((await again.client.log()).filter(({ type }) => type === 'SagaEffectInterrupted')).toHaveLength(1);
  expect(await again.stop()).toBe(0);
}, 120_000);
