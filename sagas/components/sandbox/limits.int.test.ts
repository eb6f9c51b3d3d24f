import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { childEnvironment, runProcess, type ProcessOptions } from '../process/run-process.ts';
import { problemOf } from '../code/commands.ts';
import { createShellWorld, describeWithSandbox } from './testing.ts';

let world: Awaited<ReturnType<typeof createShellWorld>>;
beforeAll(async () => void (world = await createShellWorld()));
afterAll(() => world.dispose());

const MIB = 1_024 ** 2;
const none = { memoryBytes: null, processes: null, diskBytes: null, cpuSeconds: null };

/** What goes over each limit, and would not end by itself soon. */
const excesses = [
  [
    'memory: 128 MiB',
    { memoryBytes: 128 * MIB },
    `node -e 'const a = []; for (let i = 0; i < 60; i++) a.push(Buffer.alloc(8e6, 1)); setTimeout(() => a, 20000)'`,
  ],
  ['processes: 40', { processes: 40 }, 'for i in $(seq 60); do sleep 20 & done; wait; sleep 20'],
  ['CPU time: 0.4 s', { cpuSeconds: 0.4 }, 'while :; do :; done'],
  [
    'disk: 8 MiB',
    { diskBytes: 8 * MIB },
    'for i in $(seq 16); do head -c 1M /dev/urandom >"$TMPDIR/$i"; done; sleep 20',
  ],
] as const;

/** Whether this machine lets us make control groups with limits; else the first way is the second. */
const ways = [
  ['by its control group', {}],
  ['by watching its processes', { controlGroups: false }],
] as const;

describeWithSandbox.each(ways)('a run is ended %s', (_way, how: Partial<ProcessOptions>) => {
  test.each(excesses)('when it is over its limit of %s', async (limit, limits, script) => {
    const result = await world.run(script, { agent: { limits: { ...none, ...limits } }, ...how });
    expect(result, JSON.stringify(result)).toMatchObject({ ended: 'limit', limit });
    expect(problemOf(result, 30)).toBe(`over its limit of ${limit}`);
  });

  test('though all its processes are small, by what they hold together', async () => {
    const script = `for i in 1 2 3 4 5 6; do node -e 'const a = Buffer.alloc(3e7, 1); setTimeout(() => a, 20000)' & done; wait; sleep 20`;
    const agent = { limits: { ...none, memoryBytes: 200 * MIB } };
    expect(await world.run(script, { agent, ...how })).toMatchObject({ ended: 'limit', limit: 'memory: 200 MiB' });
  });

  test('and one that stays below all of them is not', async () => {
    const limits = { memoryBytes: 512 * MIB, processes: 100, diskBytes: 8 * MIB, cpuSeconds: 20 };
    const script = `head -c 4M /dev/zero >"$TMPDIR/x"; rm "$TMPDIR"/*; node -e 'Buffer.alloc(5e7, 1)'; sleep 0.7; echo done`;
    expect(await world.run(script, { agent: { limits }, ...how })).toMatchObject({
      ended: 'exit',
      limit: null,
      text: 'done',
    });
  });
});

describeWithSandbox('bounds that need no watching', () => {
  test('a fork bomb is stopped where it is, and named', async () => {
    const agent = { limits: { ...none, processes: 64 } };
    const result = await world.run(':(){ :|:& };:; wait; sleep 20', { agent });
    expect(result).toMatchObject({ ended: 'limit', limit: 'processes: 64' });
  });

  test('space that was reserved without a write, in memory folders too', async () => {
    const agent = { limits: { ...none, diskBytes: 64 * MIB } };
    const result = await world.run('fallocate -l 300M "$TMPDIR/x"; sleep 20', { agent });
    expect(result).toMatchObject({ ended: 'limit', limit: 'disk: 64 MiB' });
    const { text } = await world.run(
      'for at in /tmp /var/tmp /dev/shm; do df -m --output=size "$at" | tail -n 1; done',
      {},
    );
    expect(text.split(/\s+/)).toEqual(['512', '512', '512']);
  });
});

describe('without a sandbox', () => {
  const run = (script: string, options: Partial<ProcessOptions>) =>
    runProcess({
      command: ['/bin/bash', '-c', script],
      cwd: world.path,
      environment: childEnvironment(),
      timeoutMs: 20_000,
      maxOutputBytes: 10_000,
      graceMs: 200,
      ...options,
    });

  test.each(ways)('limits hold as well, %s', async (_way, how) => {
    const limits = { ...none, processes: 40 };
    const result = await run('for i in $(seq 60); do sleep 611 & done; wait', {
      limits,
      mark: `limits-${process.pid}`,
      ...how,
    });
    expect(result).toMatchObject({ ended: 'limit', limit: 'processes: 40' });
    expect(running('sleep\x00611')).toBe(0);
  });

  test.runIf(process.platform === 'linux')(
    'a daemon that left group, session and folder ends with its attempt',
    async () => {
      const daemon = `cd / && (setsid setsid sleep 612 </dev/null >/dev/null 2>&1 &) ; sleep 0.1; echo done`;
      expect((await run(daemon, { mark: `daemon-${process.pid}` })).stdout.toString()).toBe('done\n');
      expect(running('sleep\x00612')).toBe(0);
    },
  );

  test('a program finds no repository above its folder, and knows whose it is', async () => {
    const { stdout } = await run('echo "$WORKLEDGER_ATTEMPT $GIT_CEILING_DIRECTORIES"', { mark: 'one' });
    expect(stdout.toString()).toBe(`one ${world.dataFolder}/worktrees\n`);
  });

  test('a program that is missing is named, with limits too', async () => {
    const missing = run('', { command: ['no-such-program'], limits: { ...none, processes: 40 } });
    await expect(missing).rejects.toThrow(/cannot start "no-such-program"/);
  });
});

const running = (command: string): number =>
  readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'latin1').startsWith(command);
    } catch {
      return false;
    }
  }).length;
