import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { pause } from '@workledger/shared/resilience/pause.ts';
import { aloneIn, aloneOnMachine } from './alone.ts';
import { identify } from './processes.ts';

const never = new AbortController().signal;

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'workledger-alone-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** So many at once that all find the lock as it is: tells how many were in at most, and how often it was taken. */
async function crowd(place: string, count: number): Promise<{ most: number; done: number }> {
  let [inside, most, done] = [0, 0, 0];
  const act = async (): Promise<void> => {
    most = Math.max(most, ++inside);
    await pause(2);
    inside--;
    done++;
  };
  await Promise.all(Array.from({ length: count }, () => aloneIn(place, never, act)));
  return { most, done };
}

test('one is in at a time, all get in, and nothing is left', async () => {
  const place = folder();
  expect(await crowd(place, 12)).toEqual({ most: 1, done: 12 });
  expect(readdirSync(place)).toEqual([]);
});

test.each([
  ['of a process that is gone', { ...identify(process.pid), startedAt: 'another time', token: 'gone' }],
  ['that nobody can read', 'half a lo'],
])('a lock %s is taken over, by one of those who find it', async (_, left) => {
  const place = folder();
  writeFileSync(join(place, 'lock.json'), JSON.stringify(left));
  expect(await crowd(place, 12)).toEqual({ most: 1, done: 12 });
  expect(readdirSync(place)).toEqual([]);
});

test('a lock of a living process is waited for, until the signal says otherwise', async () => {
  const place = folder();
  const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  onTestFinished(() => void other.kill('SIGKILL'));
  const held = JSON.stringify({ ...identify(other.pid!), token: 'theirs' });
  writeFileSync(join(place, 'lock.json'), held);
  let entered = 0;
  const enter = (signal: AbortSignal) => aloneIn(place, signal, () => Promise.resolve(++entered));
  await expect(enter(AbortSignal.timeout(100))).rejects.toThrow(/timeout/);
  expect([entered, readdirSync(place)]).toEqual([0, ['lock.json']]);

  const waiting = enter(never);
  other.kill('SIGKILL');
  expect(await waiting).toBe(1);
});

test('what fails gives the lock back, and two data folders of one machine share it', async () => {
  const order: string[] = [];
  const act = (name: string) => async () => {
    order.push(`${name} in`);
    await pause(5);
    order.push(`${name} out`);
    throw new Error(name);
  };
  const both = ['one', 'two'].map((name) => aloneOnMachine(folder(), never, act(name)));
  for (const each of both) await expect(each).rejects.toThrow(/one|two/);
  expect(order.map((line) => line.split(' ')[1])).toEqual(['in', 'out', 'in', 'out']);
});
