import { createServer, request as httpRequest, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { CannotListen, startServer } from './server.ts';

/** Answers when it is told to, and tells when it was asked. */
function slowApplication() {
  let begin = () => {};
  let finish = () => {};
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const application: RequestListener = (_request, response) => {
    begin();
    void finished.then(() => response.end('done'));
  };
  return { application, begun, finish: () => finish() };
}

const anywhere = { host: '127.0.0.1', port: 0 };

test('says in one line that its port is taken', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  await expect(startServer(() => undefined, { host: '127.0.0.1', port })).rejects.toThrow(
    new CannotListen(`127.0.0.1:${port}: the port is taken → stop the other program, or set another port`),
  );
  other.close();
});

test('finishes what is in flight before it stops, and takes nothing new', async () => {
  const { application, begun, finish } = slowApplication();
  const server = await startServer(application, anywhere);
  const inFlight = fetch(server.url);
  await begun;
  const stopped = server.stop(10_000);
  await expect(fetch(server.url)).rejects.toThrow();
  finish();
  expect(await (await inFlight).text()).toBe('done');
  await stopped;
});

test('cuts what has not finished within the drain time', async () => {
  const { application, begun } = slowApplication();
  const server = await startServer(application, anywhere);
  const cut = new Promise((resolve) => httpRequest(server.url).once('error', resolve).end());
  await begun;
  await server.stop(1);
  expect(await cut).toMatchObject({ code: 'ECONNRESET' });
});
