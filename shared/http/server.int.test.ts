import { createServer, request as httpRequest, type RequestListener } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { createApplication } from './application.ts';
import { route } from './route.ts';
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

/** A connection by hand, and everything that came over it until it was closed. */
function byHand(port: number): { readonly socket: Socket; readonly answer: Promise<string> } {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  socket.on('error', () => undefined);
  const answer = new Promise<string>((resolve) => socket.on('close', () => resolve(text)));
  return { socket, answer };
}

describe('one client cannot take much', () => {
  let parsed = 0;
  const application = createApplication({
    routes: [
      route({
        method: 'post',
        path: '/api/v1/things',
        role: 'public',
        summary: 'Takes a thing',
        body: z.looseObject({}).transform((value) => ((parsed += 1), value)),
        maxBodyBytes: 1_000,
        answers: { 200: { description: 'Done.' } },
        handler: () => ({ json: 'done' }),
      }),
    ],
    authenticate: () => Promise.reject(new Error('nobody asks')),
    logger: captureLog('silent').logger,
    title: 'test',
    version: '1',
  });
  const head = (more: string): string =>
    `POST /api/v1/things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${more}\r\n\r\n`;

  test('a body whose length is too large is refused before any of it was sent', async () => {
    const server = await startServer(application, anywhere);
    const { socket, answer } = byHand(server.port);
    socket.write(head('Content-Length: 5000000000'));
    expect(await answer).toMatch(/^HTTP\/1.1 413 .*[^]*too-large/);
    await server.stop(1);
  });

  test('a body without a length is cut when it goes on and on', async () => {
    const server = await startServer(application, anywhere);
    const { socket, answer } = byHand(server.port);
    socket.write(head('Transfer-Encoding: chunked'));
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    const endless = setInterval(() => {
      for (let count = 0; count < 16 && socket.writableLength < 1_000_000; count++) socket.write(chunk);
    }, 1);
    await answer;
    clearInterval(endless);
    expect(socket.bytesWritten).toBeGreaterThan(8_000_000);
    expect(socket.bytesWritten).toBeLessThan(20_000_000);
    await server.stop(1);
  });

  test('a head and a body that come drop by drop are given up, and nothing of them is parsed', async () => {
    const server = await startServer(application, anywhere, { headersTimeout: 200, requestTimeout: 400 });
    const drops = [byHand(server.port), byHand(server.port)];
    const [slowHead, slowBody] = drops;
    slowHead?.socket.write('POST /api/v1/things HTTP/1.1\r\nHost: x\r\n');
    slowBody?.socket.write(head('Content-Length: 900'));
    const drip = setInterval(
      () => drops.forEach(({ socket }, index) => socket.write(index === 0 ? 'X-A: b\r\n' : ' ')),
      20,
    );
    const answers = await Promise.all(drops.map(({ answer }) => answer));
    clearInterval(drip);
    for (const answer of answers) expect(answer).toMatch(/^HTTP\/1.1 408/);
    expect(parsed).toBe(0);
    await server.stop(1);
  });

  test('who does not read, or says nothing, loses the connection; and there are only so many of them', async () => {
    const silent = startServer(() => undefined, anywhere, { idleTimeout: 200, maxConnections: 2 });
    const server = await silent;
    const three = [byHand(server.port), byHand(server.port)];
    for (const { socket } of three) socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await expect.poll(() => three.every(({ socket }) => socket.bytesWritten > 0)).toBe(true);
    const third = byHand(server.port);
    expect(await third.answer).toBe('');
    expect(three.map(({ socket }) => socket.closed)).toEqual([false, false]);
    expect(await Promise.all(three.map(({ answer }) => answer))).toEqual(['', '']);
    await server.stop(1);
  });
});
