import { expect, test, vi } from 'vitest';
import { createClosers } from '@workledger/shared/service/closers.ts';
import { superviseServer, type Server } from './servers.ts';

type Fake = Server & { readonly number: number; die(how: string): void };

/** Starts servers that a test lets die; the starts listed in `failing` fail. */
function machine(failing: readonly number[] = []) {
  const started: Fake[] = [];
  const stopped: number[] = [];
  let starts = 0;
  const start = (before: Fake | null): Promise<Fake> => {
    const number = ++starts;
    if (failing.includes(number)) return Promise.reject(new Error(`start ${number} fails`));
    if (number > 1) expect(before?.number, 'it comes back where the first one was').toBe(1);
    let die: Fake['die'] = () => undefined;
    const died = new Promise<string>((resolve) => (die = resolve));
    const server = { number, died, die, stop: () => Promise.resolve(void stopped.push(number)) };
    started.push(server);
    return Promise.resolve(server);
  };
  return { started, stopped, start };
}

test('a server that ends is freed and started again, however often', async () => {
  const { started, stopped, start } = machine();
  const closers = createClosers();
  const said: string[] = [];
  await superviseServer('Kafka', start, closers, (line) => void said.push(line));
  started[0]!.die('SIGKILL');
  await vi.waitUntil(() => started.length === 2);
  started[1]!.die('exit code 1');
  await vi.waitUntil(() => started.length === 3);
  expect(said).toEqual([
    'Kafka has ended (SIGKILL), is started again',
    'Kafka has ended (exit code 1), is started again',
  ]);
  await closers.close();
  expect(stopped).toEqual([1, 2, 3]);
});

test('one that does not start again is tried until it does', async () => {
  const { started, start } = machine([2, 3]);
  const closers = createClosers();
  const said: string[] = [];
  await superviseServer('Kafka', start, closers, (line) => void said.push(line));
  started[0]!.die('SIGKILL');
  await vi.waitUntil(() => started.length === 2, { timeout: 10_000 });
  expect(said).toContain('Kafka does not start: start 3 fails');
  await closers.close();
});

test('the first start must succeed', async () => {
  const { start } = machine([1]);
  await expect(superviseServer('Kafka', start, createClosers(), () => undefined)).rejects.toThrow('start 1 fails');
});

test('a stop while it waits for the next try ends the trying', async () => {
  const { started, stopped, start } = machine([2, 3, 4, 5, 6, 7, 8]);
  const closers = createClosers();
  const said: string[] = [];
  await superviseServer('Kafka', start, closers, (line) => void said.push(line));
  started[0]!.die('SIGKILL');
  await vi.waitUntil(() => said.some((line) => line.includes('does not start')));
  await closers.close();
  expect(started).toHaveLength(1);
  expect(stopped[0]).toBe(1);
});
