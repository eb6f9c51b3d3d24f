import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { newId } from '../../contexts/stream.ts';
import { createOutages } from '../../resilience/outages/outages.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { CommandFault, type Commands, NoAnswer } from '../port.ts';
import { isAway } from '../../resilience/outages/signs.ts';
import { CommandRefused } from '../refusal.ts';
import { createHttpCommands } from './http-commands.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

type Serving = { readonly url: string; readonly port: number; stop(): Promise<void> };

/** A server that answers as it likes. */
async function serve(answer: RequestListener, port = 0): Promise<Serving> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const actual = (server.address() as AddressInfo).port;
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  stops.push(stop);
  return { url: `http://127.0.0.1:${actual}`, port: actual, stop };
}

const target = newId();
const receipt = { id: target, stream: `task-${target}`, revision: 3, token: `task-${target}@3`, details: {} };
const json = (status: number, body: unknown): RequestListener => {
  return (request, response) => {
    request.resume().on('end', () => {
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    });
  };
};
const good = json(200, receipt);
const send = (commands: Commands) =>
  commands.send({ type: 'task.cancel', target, data: {} }, { actor: 'saga:x', correlationId: 'c' });
const connect = (urls: readonly string[], more: object = {}) => createHttpCommands({ urls, key: 'wl_x', ...more });

/** An address where nobody listens. */
async function nowhere(): Promise<string> {
  const { url, stop } = await serve(good);
  await stop();
  return url;
}

test('a server that is away is waited for: an error each time, two lines in all, and then it works', async () => {
  const { logger, lines } = captureLog();
  const { url, port, stop } = await serve(good);
  const commands = connect([url], { outages: createOutages(logger) });
  expect(await send(commands)).toEqual(receipt);
  await stop();
  for (let time = 0; time < 3; time++)
    await expect(send(commands)).rejects.toThrow(`command-service cannot be reached at ${url}: ECONNREFUSED`);
  await expect(send(commands)).rejects.toBeInstanceOf(NoAnswer);
  await serve(good, port);
  expect([await send(commands), await send(commands)]).toEqual([receipt, receipt]);
  const told = lines().filter(({ level }) => level !== 'debug');
  expect(told[0]?.['reason']).toContain('ECONNREFUSED');
  expect(told.map(({ level, msg }) => [level, msg])).toEqual([
    ['warn', 'command-service is away: waiting for it'],
    ['info', 'command-service is back'],
  ]);
});

test('the next address is tried when one cannot be reached, and is remembered', async () => {
  const asked: string[] = [];
  const noting =
    (name: string): RequestListener =>
    (...exchange) => {
      asked.push(name);
      good(...exchange);
    };
  const [one, two] = [await serve(noting('one')), await serve(noting('two'))];
  const commands = connect([await nowhere(), one.url, `${two.url}/`]);
  expect([await send(commands), await send(commands)]).toEqual([receipt, receipt]);
  await one.stop();
  expect(await send(commands)).toEqual(receipt);
  expect(asked).toEqual(['one', 'one', 'two']);
});

test('what is sent twice, because the answer was lost, is sent under the same id', async () => {
  const ids: unknown[] = [];
  const { url } = await serve((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      ids.push((JSON.parse(text) as { context: { commandId: unknown } }).context.commandId);
      if (ids.length === 1) request.socket.destroy();
      else response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(receipt));
    });
  });
  expect(await send(connect([url]))).toEqual(receipt);
  expect(ids).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/), ids[0]]);
});

test('a server that never answers is given up at the deadline, and another one is asked first from then on', async () => {
  const [frozen, well] = [await serve(() => undefined), await serve(good)];
  const commands = connect([frozen.url, well.url], { timeoutMilliseconds: 200 });
  await expect(send(commands)).rejects.toThrow('within 200 ms');
  expect(await send(commands)).toEqual(receipt);
});

test('an answer that never ends is given up, too', async () => {
  const { url } = await serve((_, response) => {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.write('{"id":');
  });
  await expect(send(connect([url], { timeoutMilliseconds: 200 }))).rejects.toThrow('was not complete in time');
});

test('a server in trouble is left for another one', async () => {
  const problem = { type: 'https://workledger.dev/problems/unavailable', detail: 'a store cannot be reached' };
  const [ill, well] = [await serve(json(503, problem)), await serve(good)];
  const commands = connect([ill.url, well.url]);
  await expect(send(commands)).rejects.toThrow('answered 503: a store cannot be reached');
  expect(await send(commands)).toEqual(receipt);
});

describe('neither yes nor no', () => {
  const page: RequestListener = (_, response) => void response.writeHead(502).end('<html>bad gateway</html>');
  const halfway: RequestListener = (_, response) => {
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '100' });
    response.write('{"id":', () => response.destroy());
  };
  const moved: RequestListener = (_, response) =>
    void response.writeHead(307, { Location: 'http://127.0.0.1:1' }).end();
  const notFound = { type: 'https://workledger.dev/problems/not-found', detail: 'no such thing' };
  test.each<[string, RequestListener, RegExp]>([
    ["a proxy's page", page, /answered 502$/],
    ['another document', json(200, { hello: 'world' }), /no receipt: is it command-service\?$/],
    ['no document', json(500, null), /answered 500$/],
    ['a refusal that is not marked as one', json(404, notFound), /answered 404: no such thing$/],
    ['an answer that breaks off', halfway, /broke off$/],
    ['somewhere else', moved, /cannot be reached/],
  ])('%s: an error that says what came', async (_, listener, told) => {
    const { url } = await serve(listener);
    const error: unknown = await send(connect([url])).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(NoAnswer);
    // Only who says that something went wrong in it is there, and may never do it.
    expect(error instanceof CommandFault).toBe((error as Error).message.endsWith('500'));
    expect(isAway(error)).toBe(!(error instanceof CommandFault));
    expect((error as Error).message).toMatch(told);
    expect((error as Error).message).not.toContain('wl_x');
  });
});

test('a marked refusal keeps its code, its words and its facts', async () => {
  const document = {
    type: 'https://workledger.dev/problems/dependency-cycle',
    detail: 'a cycle',
    facts: { cycle: ['a', 'b'] },
    errors: [{ path: 'target', message: 'invalid' }],
  };
  const { url } = await serve((_, response) => {
    const headers = { 'Content-Type': 'application/problem+json', 'Workledger-Refusal': 'dependency-cycle' };
    response.writeHead(409, headers).end(JSON.stringify(document));
  });
  const error: unknown = await send(connect([url])).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(CommandRefused);
  expect(error).toMatchObject({
    code: 'dependency-cycle',
    message: 'a cycle',
    facts: { cycle: ['a', 'b'], errors: document.errors },
  });
});

test.each([[[]], [['command-service:8081']], [['http://me:secret@localhost:8081']], [['ftp://localhost']]])(
  'addresses that are none are refused at once, and not repeated in the message: %j',
  (urls) => {
    expect(() => connect(urls)).toThrow(/^(?!.*secret).*address of command-service/);
  },
);
