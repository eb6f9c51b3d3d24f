import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fewAtOnce } from './few-at-once.ts';

// Those that are in hand are answered one by one, by hand.
const inHand: (() => void)[] = [];
const application = express()
  .use(fewAtOnce({ largeBytes: 1_000, limit: 10_000, waitMilliseconds: 300 }))
  .use(express.raw({ limit: 10_000 }))
  .post('/', (request, response) => {
    if (Number(request.headers['content-length']) <= 1_000) response.end('small');
    else inHand.push(() => response.end('large'));
  })
  .use(((error, _request, response, _next) => {
    response.status((error as { status: number }).status).end('too many');
  }) as express.ErrorRequestHandler);

let server: ReturnType<typeof application.listen>;
beforeAll(() => new Promise<void>((resolve) => (server = application.listen(0, '127.0.0.1', () => resolve()))));
afterAll(() => void server.close());

const post = async (bytes: number, signal?: AbortSignal): Promise<string> => {
  const { port } = server.address() as AddressInfo;
  const headers = { 'Content-Type': 'application/octet-stream' };
  const body = new Uint8Array(bytes);
  const told = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers, body, signal: signal ?? null });
  return `${told.status} ${await told.text()}`;
};
const large = (count: number) => Array.from({ length: count }, () => post(5_000));
const answerAll = async (answers: Promise<string>[]): Promise<string[]> => {
  const answering = setInterval(() => inHand.shift()?.(), 2);
  return Promise.all(answers).finally(() => clearInterval(answering));
};

test('four large bodies are in hand at once; the next has its turn when one is answered, and small ones wait for none', async () => {
  const answers = large(6);
  await expect.poll(() => inHand.length).toBe(4);
  expect(await post(1_000)).toBe('200 small');
  expect(inHand).toHaveLength(4);
  inHand.shift()?.();
  await expect.poll(() => inHand.length).toBe(4);
  expect(await answerAll(answers)).toEqual(Array.from({ length: 6 }, () => '200 large'));
});

test('who waits too long is told to come again, who goes away leaves the place to the next, and no place is lost', async () => {
  const answers = large(4);
  await expect.poll(() => inHand.length).toBe(4);
  const leaving = new AbortController();
  const gone = post(5_000, leaving.signal).catch(() => 'gone');
  const late = post(5_000);
  leaving.abort();
  expect(await Promise.all([gone, late])).toEqual(['gone', '503 too many']);
  expect(inHand).toHaveLength(4);
  await answerAll(answers);
  const again = large(5);
  await expect.poll(() => inHand.length).toBe(4);
  expect(await answerAll(again)).toEqual(Array.from({ length: 5 }, () => '200 large'));
});
