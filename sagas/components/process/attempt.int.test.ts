import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventuallyGone } from '@workledger/infra/testing/processes/processes.ts';
import {
  AttemptEnded,
  endScope,
  killLeftover,
  openAttempt,
  sweepAttempts,
  newRecordFile,
  writeRecord,
} from './attempt.ts';
import { identify, isSameProcess } from './processes.ts';

let dataFolder: string;
beforeEach(async () => void (dataFolder = await mkdtemp(join(tmpdir(), 'workledger-attempt-'))));
afterEach(() => rm(dataFolder, { recursive: true, force: true }));

const records = (): string[] =>
  existsSync(join(dataFolder, 'attempts')) ? readdirSync(join(dataFolder, 'attempts')) : [];

const HANGING = [process.execPath, '-e', 'setInterval(() => {}, 1000)'];
const limits = { memoryBytes: null, processes: 100, diskBytes: null, cpuSeconds: null };

/** A process of another Workledger that started a program that hangs, and was then killed with kill -9. */
async function killedOwner(
  key: string,
  { scope = 'task/run', command = HANGING }: { scope?: string; command?: readonly string[] } = {},
): Promise<{ program: number; folder: string }> {
  const folder = join(dataFolder, 'worktrees', key);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'file'), 'text');
  const attempt = fileURLToPath(new URL('attempt.ts', import.meta.url));
  const script = `import { openAttempt } from ${JSON.stringify(attempt)};
    const attempt = await openAttempt(${JSON.stringify({ dataFolder, key, scope })});
    attempt.own(${JSON.stringify(folder)});
    await attempt.run({ command: ${JSON.stringify(command)}, limits: ${JSON.stringify(limits)}, cwd: ${JSON.stringify(folder)},
      environment: { PATH: process.env.PATH }, timeoutMs: 60000, maxOutputBytes: 1000, onStart: (pid) => console.log(pid) });`;
  const owner = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    cwd: fileURLToPath(new URL('../../..', import.meta.url)),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(owner.stdout, 'data')) as [Buffer];
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  return { program: Number(line.toString()), folder };
}

const running = (pid: number): boolean => {
  const identity = identify(pid);
  return identity.startedAt !== null && isSameProcess(identity);
};

test('whoever takes a key over kills what a killed owner left, and removes its folder', async () => {
  const { program, folder } = await killedOwner('one');
  expect(running(program)).toBe(true);
  const next = await openAttempt({ dataFolder, key: 'one', scope: 'task/run' });
  expect(await eventuallyGone(program)).toBe(true);
  expect(existsSync(folder)).toBe(false);
  expect(records()).toHaveLength(1);
  await next.close();
  expect(records()).toEqual([]);
});

test.runIf(process.platform === 'linux')('also a daemon that left group, session and folder', async () => {
  const pidFile = join(dataFolder, 'daemon.pid');
  const daemon = `cd / && (setsid setsid sh -c 'echo $$ >"${pidFile}"; exec sleep 600' </dev/null >/dev/null 2>&1 &); sleep 600`;
  await killedOwner('one', { command: ['/bin/sh', '-c', daemon] });
  await expect.poll(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8') !== '').toBe(true);
  const pid = Number(readFileSync(pidFile, 'utf8'));
  expect(running(pid)).toBe(true);
  const next = await openAttempt({ dataFolder, key: 'one', scope: 'task/run' });
  expect(await eventuallyGone(pid)).toBe(true);
  await next.close();
});

test('so it does from a data folder of its own, on the same machine', async () => {
  const { program, folder } = await killedOwner('one');
  const other = await mkdtemp(join(tmpdir(), 'workledger-other-'));
  const next = await openAttempt({ dataFolder: other, key: 'one', scope: 'task/run' });
  expect(await eventuallyGone(program)).toBe(true);
  expect(existsSync(folder)).toBe(false);
  expect(records()).toEqual([]);
  await next.close();
  await rm(other, { recursive: true });
});

test('what another machine recorded, also in a folder that both see, is not killed here', async () => {
  const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });
  const other = await mkdtemp(join(tmpdir(), 'workledger-other-'));
  try {
    await (await openAttempt({ dataFolder, key: 'another', scope: 's' })).close();
    const there = { ...identify(stranger.pid!), host: 'another machine' };
    const { file } = newRecordFile(dataFolder, 'one');
    writeRecord(file, { key: 'one', scope: 's', owner: there, process: there, groups: [], folders: [] });
    expect(await killLeftover(other, 'one')).toBe(0);
    expect(await killLeftover(dataFolder, 'one')).toBe(1);
    expect(running(stranger.pid!)).toBe(true);
  } finally {
    stranger.kill('SIGKILL');
    await rm(other, { recursive: true });
  }
});

test('another key leaves it alone, the sweep at start ends it', async () => {
  const { program, folder } = await killedOwner('one');
  expect(await killLeftover(dataFolder, 'two')).toBe(0);
  expect(running(program)).toBe(true);
  expect(await sweepAttempts(dataFolder)).toBe(1);
  expect(await eventuallyGone(program)).toBe(true);
  expect(existsSync(folder)).toBe(false);
  expect(records()).toEqual([]);
});

test('the sweep leaves attempts of a living owner alone', async () => {
  const attempt = await openAttempt({ dataFolder, key: 'one', scope: 'task/run' });
  expect(await sweepAttempts(dataFolder)).toBe(0);
  expect(records()).toHaveLength(1);
  await attempt.close();
});

test('a process that only has the same number is not killed', async () => {
  const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });
  try {
    const { file } = newRecordFile(dataFolder, 'one');
    const process_ = { ...identify(stranger.pid!), startedAt: 'another time' };
    writeRecord(file, {
      key: 'one',
      scope: 's',
      owner: identify(process.pid),
      process: process_,
      groups: [],
      folders: [],
    });
    expect(await killLeftover(dataFolder, 'one')).toBe(1);
    expect(running(stranger.pid!)).toBe(true);
  } finally {
    stranger.kill('SIGKILL');
  }
});

test('ending a scope kills the running program of that scope only', async () => {
  const start = async (key: string, scope: string) => {
    const attempt = await openAttempt({ dataFolder, key, scope });
    let started: (pid: number) => void = () => undefined;
    const pid = new Promise<number>((resolve) => void (started = resolve));
    const command = [process.execPath, '-e', 'setInterval(() => {}, 1000)'];
    const options = { command, cwd: dataFolder, environment: {}, timeoutMs: 60_000, maxOutputBytes: 1_000 };
    const controller = new AbortController();
    const ended = attempt.run({ ...options, signal: controller.signal, onStart: started });
    return { attempt, ended, pid: await pid, controller };
  };
  const one = await start('one', 'task/1');
  const two = await start('two', 'task/2');
  expect(await endScope(dataFolder, 'task/1')).toBe(1);
  expect((await one.ended).signal).toBe('SIGTERM');
  expect(running(two.pid)).toBe(true);
  two.controller.abort();
  await two.ended;
  await Promise.all([one.attempt.close(), two.attempt.close()]);
  expect(records()).toEqual([]);
});

test('whoever lost its key runs nothing more, though its program ends only then', async () => {
  const options = { dataFolder, key: 'one', scope: 'task/run' };
  const first = await openAttempt(options);
  let running: Promise<unknown> = Promise.resolve();
  await new Promise<void>((resolve) => void (running = first.run({ ...hanging(), onStart: () => resolve() })));
  const second = await openAttempt(options);
  expect(await running).toMatchObject({ signal: 'SIGTERM' });
  expect([first.isEnded(), records().length]).toEqual([true, 1]);
  await expect(first.run(hanging())).rejects.toThrow(AttemptEnded);
  await first.close();
  expect([second.isEnded(), records().length]).toEqual([false, 1]);
  await second.close();
});

test('a program without a grace is told nothing before it is killed, whoever ends it', async () => {
  const told = join(dataFolder, 'told');
  const program = `process.on('SIGTERM', () => require('fs').writeFileSync(${JSON.stringify(told)}, ''));
    console.log('ready'); setInterval(() => {}, 1000)`;
  for (const graceMs of [0, 1_000]) {
    const options = { dataFolder, key: `grace ${graceMs}`, scope: 'task/run' };
    const attempt = await openAttempt(options);
    const command = [process.execPath, '-e', program];
    let running: Promise<unknown> = Promise.resolve();
    await new Promise<void>(
      (resolve) => void (running = attempt.run({ ...hanging(), command, graceMs, onOutput: () => resolve() })),
    );
    await killLeftover(dataFolder, options.key);
    expect(await running).toMatchObject({ signal: 'SIGKILL' });
    expect(existsSync(told)).toBe(graceMs > 0);
  }
});

const hanging = () => ({
  ...{ command: HANGING, cwd: dataFolder, environment: { PATH: process.env['PATH'] ?? '' } },
  ...{ timeoutMs: 60_000, maxOutputBytes: 1_000, limits },
});
