import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { nodeArguments } from '@workledger/infra/testing/processes/program.ts';

const PROGRAM = fileURLToPath(new URL('../../infra/testing/processes/log-and-exit.program.ts', import.meta.url));

const start = (lines: number): ChildProcess =>
  spawn(process.execPath, [...nodeArguments(PROGRAM), String(lines)], { stdio: ['pipe', 'pipe', 'inherit'] });

it('a process ends though the reader of its output is gone', { timeout: 30_000 }, async () => {
  const child = start(2);
  await once(child.stdout!, 'data');
  child.stdout!.destroy();
  child.stdin!.write('end\n');
  const [code] = (await once(child, 'exit')) as [number];
  expect(code).toBe(7);
});

it('a process ends though nobody reads what fills its output', { timeout: 30_000 }, async () => {
  const child = start(20_000);
  child.stdin!.write('end\n');
  const [code] = (await once(child, 'exit')) as [number];
  expect(code).toBe(7);
});

it('what was logged before the end is written at the end', { timeout: 30_000 }, async () => {
  const child = start(2_000);
  let text = '';
  child.stdout!.on('data', (bytes: Buffer) => (text += bytes.toString()));
  child.stdin!.write('end\n');
  await once(child, 'close');
  const numbers = text
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { number: number }).number);
  expect(numbers).toEqual([
    ...Array.from({ length: 1_999 }, (_, index) => index + 1),
    ...Array.from({ length: 50 }, (_, index) => index),
  ]);
});
