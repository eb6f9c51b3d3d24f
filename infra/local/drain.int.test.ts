import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemFolder, type SystemFolder } from '../testing/processes/folder.ts';
import { noProcessesOf } from '../testing/processes/processes.ts';
import { startProgram } from '../testing/processes/program.ts';
import { startInFolder, type RunningSystem } from '../testing/system/in-folder.ts';
import { createTask, finalTask } from '../testing/system/tasks.ts';
import {
  createShellRepository,
  scriptAgent,
  shellRegistration,
  writeRightGreet,
} from '../testing/repository/shell-repository.ts';

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
      scriptAgent('steady', `touch "${marker('steady')}"; sleep 3; ${writeRightGreet}`, { write: [folder.path] }),
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

describe('a stop in the middle of an agent', { timeout: 120_000 }, () => {
  test('lets it finish within drainSeconds, asked for by npm start -- --stop, and its result is recorded', async () => {
    const system = await startInFolder(folder.path, { ...configuration, drainSeconds: 60 });
    const id = await atWork(system, 'steady');
    const stopper = startProgram('infra/local/start.ts', ['--stop'], { cwd: folder.path });
    const next = createTask(system.client, 'greeter', { title: 'Not begun', capabilities: ['steady'] });
    expect([await stopper.ended, stopper.written.stderr]).toEqual([0, '']);
    expect(stopper.written.stdout).toMatch(/process \d+ was asked to stop\n(.*\n)*stopped\n$/);
    expect(await system.program.ended).toBe(0);
    expect(system.program.written.stdout).toContain(`waiting for code.work of task ${id}`);
    await noProcessesOf(folder.path);

    const nobody = startProgram('infra/local/start.ts', ['--stop'], { cwd: folder.path });
    expect([await nobody.ended, nobody.written.stderr]).toEqual([1, expect.stringContaining('no Workledger runs on')]);

    const again = await startInFolder(folder.path, configuration);
    expect(await finalTask(again.client, id)).toMatchObject({ state: 'complete' });
    expect(await finalTask(again.client, await next)).toMatchObject({ state: 'complete' });
    expect(await ofTask(again, id, 'GenerationAttemptStarted')).toHaveLength(1);
    expect((await again.client.log()).filter(({ type }) => type === 'SagaEffectInterrupted')).toEqual([]);
    expect(await again.stop()).toBe(0);
  });

  test('ends it after that time, and counts it; the next start begins it anew without a try of the task lost', async () => {
    const system = await startInFolder(folder.path, { ...configuration, drainSeconds: 1 });
    const id = await atWork(system, 'long');
    expect(await system.stop()).toBe(0);

    const again = await startInFolder(folder.path, configuration);
    const task = await finalTask(again.client, id);
    expect(task).toMatchObject({ state: 'complete', attempts: 1 });
    expect(await ofTask(again, id, 'GenerationAttemptStarted')).toHaveLength(1);
    const { body } = await again.client.expect2xx('GET', `/pipelines/${task.pipelines[0]?.id}`);
    expect(JSON.stringify(body)).toContain('"interrupted":1');
    expect(await again.stop()).toBe(0);
  });
});
