import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemFolder, type SystemFolder } from '../testing/processes/folder.ts';
import { noProcessesOf, processesOf } from '../testing/processes/processes.ts';
import { startProgram, type Program } from '../testing/processes/program.ts';

let folder: SystemFolder;
beforeAll(async () => {
  folder = await systemFolder();
});
afterAll(() => folder.remove());

const demo = (...args: string[]): Program =>
  startProgram('infra/local/demo/main.ts', ['--data', join(folder.path, 'data'), ...args], { cwd: folder.path });

const killPostgres = async (): Promise<void> => {
  const pid = await readFile(join(folder.path, 'data', 'postgres', 'cluster', 'postmaster.pid'), 'utf8');
  process.kill(Number(pid.split('\n')[0]), 'SIGKILL');
};

test('after kill -9 of the process and then of it and PostgreSQL, the next demo finishes what was interrupted, then its own', async () => {
  const first = demo();
  await first.until(/ evolve +candidate 1\.\d: /);
  first.signal('SIGKILL');
  await first.ended;
  expect(processesOf(folder.path).some(({ command }) => command.includes('bin/postgres'))).toBe(true);

  const second = demo('--failing');
  await second.until(/First the task that was interrupted(.*\n)*.* evolve +generation 2/);
  second.signal('SIGKILL');
  await killPostgres();
  await second.ended;

  const third = demo('--failing');
  expect(await third.ended).toBe(0);
  const { stdout } = third.written;
  expect(stdout).toMatch(
    /First the task that was interrupted: (.*\n)*.* complete, merged(.*\n)*The interrupted task is complete\./,
  );
  expect(stdout).toContain('The work was sent back once, failed again, was undone, and the task says why.');
  // What stood before the first kill did not happen again.
  expect(stdout).not.toMatch(/candidate 1\.1/);
  expect([first, second, third].filter(({ written }) => / task +created, /.test(written.stdout))).toEqual([
    first,
    third,
  ]);
  await noProcessesOf(folder.path);
}, 180_000);
