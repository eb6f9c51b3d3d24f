import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventuallyGone, isRunning } from '@workledger/infra/testing/processes/processes.ts';
import { childEnvironment, ProcessNotStarted, runProcess, type ProcessOptions } from './run-process.ts';

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'workledger-process-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

const run = (script: string, options: Partial<ProcessOptions> = {}) =>
  runProcess({
    command: [process.execPath, '-e', script],
    cwd: folder,
    environment: childEnvironment(),
    timeoutMs: 20_000,
    maxOutputBytes: 100_000,
    graceMs: 200,
    ...options,
  });

describe('a program', () => {
  test('gets its standard input and its output comes back in parts and as a whole', async () => {
    const script = `process.stdin.on('data', (d) => process.stdout.write('got ' + d)).on('end', () => console.error('bye'))`;
    const result = await run(script, { stdin: 'hello' });
    expect(result).toMatchObject({ ended: 'exit', exitCode: 0, signal: null, droppedBytes: 0 });
    expect(result.stdout.toString()).toBe('got hello');
    expect(result.stderr.toString()).toBe('bye\n');
    expect(result.output.toString()).toBe('got hellobye\n');
  });

  test('sees PATH, HOME, LANG and the named variables, nothing else', async () => {
    const environment = childEnvironment(['NAMED'], {
      PATH: '.:/usr/bin',
      HOME: '/h',
      LANG: 'C',
      NAMED: 'n',
      SECRET: 's',
    });
    const result = await run('console.log(JSON.stringify(process.env))', { environment });
    expect(JSON.parse(result.stdout.toString())).toEqual({ PATH: '/usr/bin', HOME: '/h', LANG: 'C', NAMED: 'n' });
  });

  test('finds none of the programs that npm put in front of PATH', () => {
    const npm = ['/work/node_modules/.bin', '/node_modules/.bin', '/usr/lib/node_modules/npm/x/lib/node-gyp-bin'];
    const own = ['/opt/tools', '/home/me/node_modules/.bin', '/usr/bin'];
    expect(childEnvironment([], { PATH: [...npm, ...own].join(':') })).toEqual({ PATH: own.join(':') });
    expect(childEnvironment([], { PATH: npm.join(':') })).toEqual({ PATH: '' });
  });

  test('is run without a shell', async () => {
    const result = await run('console.log(process.argv[1])', {
      command: [process.execPath, '-e', 'console.log(process.argv[1])', '$(echo shell); echo *'],
    });
    expect(result.stdout.toString()).toBe('$(echo shell); echo *\n');
  });

  test('that exits with 1 answers its exit code', async () => {
    expect(await run('process.exit(1)')).toMatchObject({ ended: 'exit', exitCode: 1 });
  });

  test('that does not read its input does not disturb us', async () => {
    expect(await run('process.exit(0)', { stdin: 'x'.repeat(1_000_000) })).toMatchObject({ exitCode: 0 });
  });

  test('that does not exist is named', async () => {
    const missing = run('', { command: ['no-such-program-here'] });
    await expect(missing).rejects.toThrow(ProcessNotStarted);
    await expect(missing).rejects.toThrow(/no-such-program-here/);
  });

  test('that hangs is killed after its time', async () => {
    const result = await run('console.log(process.pid); setInterval(() => {}, 1000)', { timeoutMs: 300 });
    expect(result.ended).toBe('timeout');
    expect(result.signal).toBe('SIGTERM');
    expect(isRunning(Number(result.stdout.toString()))).toBe(false);
  });

  test('that ignores SIGTERM is killed all the same', async () => {
    const script = `process.on('SIGTERM', () => {}); console.log(process.pid); setInterval(() => {}, 1000)`;
    const result = await run(script, { timeoutMs: 500 });
    expect(result).toMatchObject({ ended: 'timeout', signal: 'SIGKILL' });
  });

  test('is killed on abort', async () => {
    const controller = new AbortController();
    const started = (): void => void setTimeout(() => controller.abort(), 200);
    const result = await run('setInterval(() => {}, 1000)', { signal: controller.signal, onStart: started });
    expect(result).toMatchObject({ ended: 'aborted', signal: 'SIGTERM' });
  });

  test('that prints 100 MB leaves its head and its tail, and the number of bytes between', async () => {
    const script = `process.stdout.write('first line\\n');
      const block = Buffer.alloc(1000000, 'x'); let left = 100;
      const more = () => left-- > 0 ? process.stdout.write(block, more) : process.stdout.write('\\nlast line');
      more()`;
    const result = await run(script);
    expect(result.exitCode).toBe(0);
    expect(result.output.length).toBeLessThan(101_000);
    expect(result.output.toString()).toMatch(/^first line\n/);
    expect(result.output.toString()).toMatch(/\nlast line$/);
    expect(result.droppedBytes).toBe(100_000_000 + 11 + 10 - 100_000);
  });
});

const child = (options: string, then: string): string =>
  `const { spawn } = require('node:child_process');
   const grandchild = spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)'], ${options});
   grandchild.unref(); require('node:fs').writeFileSync('grandchild.pid', String(grandchild.pid)); ${then}`;
const grandchild = async (): Promise<number> => Number(await readFile(join(folder, 'grandchild.pid'), 'utf8'));

describe('a grandchild', () => {
  test('left behind after a normal exit is killed', async () => {
    const result = await run(child(`{ stdio: 'ignore' }`, 'process.exit(0)'));
    expect(result).toMatchObject({ ended: 'exit', exitCode: 0 });
    expect(await eventuallyGone(await grandchild())).toBe(true);
  });

  test('that holds the pipes open does not hang us', async () => {
    const result = await run(child(`{ stdio: 'inherit' }`, `console.log('done'); process.exit(0)`));
    expect(result).toMatchObject({ ended: 'exit', exitCode: 0 });
    expect(result.stdout.toString()).toBe('done\n');
    expect(await eventuallyGone(await grandchild())).toBe(true);
  });

  test('is killed with its parent on timeout', async () => {
    const result = await run(child(`{ stdio: 'inherit' }`, 'setInterval(() => {}, 1000)'), { timeoutMs: 500 });
    expect(result.ended).toBe('timeout');
    expect(await eventuallyGone(await grandchild())).toBe(true);
  });

  test.runIf(process.platform === 'linux')('that left its group but works in the folder is killed, too', async () => {
    const daemon = child(`{ stdio: 'inherit', detached: true }`, 'process.exit(0)');
    const result = await run(daemon, { killStrays: true });
    expect(result).toMatchObject({ ended: 'exit', exitCode: 0 });
    expect(await eventuallyGone(await grandchild())).toBe(true);
  });
});
