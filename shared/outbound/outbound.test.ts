import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { withContext } from '../telemetry/request-context.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isPublic } from './addresses.ts';
import { LimitReached, NotAllowed, Postponed, TargetAway } from './failures.ts';
import { createOutbound, type Asked, type OutboundOptions, type Target } from './outbound.ts';
import { createPace, retryAfter } from './pace.ts';

type Respond = (response: ServerResponse, request: IncomingMessage) => void;
let server: Server;
let base: URL;
let asked: { method: string; path: string; headers: IncomingMessage['headers']; at: number }[] = [];
let respond: Respond[] = [];
const fine: Respond = (response) => void response.end('{"fine":true}');
const status =
  (code: number, headers: Record<string, string> = {}): Respond =>
  (response) =>
    void response.writeHead(code, headers).end('{}');
const drop: Respond = (response) => void response.destroy();

beforeEach(async () => {
  asked = [];
  respond = [];
  server = createServer((request, response) => {
    request.resume().on('end', () => {
      const { method = '', url = '', headers } = request;
      asked.push({ method, path: url, headers, at: performance.now() });
      (respond.shift() ?? fine)(response, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/api`);
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const BACK_OFF = { first: 5, most: 20 };
const open = (target: Partial<Target> = {}, options: Partial<OutboundOptions> = {}) => {
  const outbound = createOutbound(
    { name: 'a target', base, ...target },
    { allowHosts: [], privateHosts: [base.host], backOffMs: BACK_OFF, ...options },
  );
  const send = (more: Partial<Asked> = {}) =>
    outbound.send({ method: 'GET', path: '/things', signal: new AbortController().signal, ...more });
  return { ...outbound, send };
};

describe('who may be called', () => {
  test('a host that is named, below its address, and no other', async () => {
    const { send } = open();
    expect((await send()).status).toBe(200);
    expect(asked[0]?.path).toBe('/api/things');
    for (const path of [
      `http://127.0.0.1:${Number(base.port) + 1}/api/things`,
      `${base.origin}/other`,
      'https://elsewhere.example/api/x',
    ])
      await expect(send({ path })).rejects.toBeInstanceOf(NotAllowed);
    expect(asked).toHaveLength(1);
  });

  test('no host that nobody named', async () => {
    await expect(open({}, { privateHosts: [] }).send()).rejects.toThrow(/not among the hosts that may be called/);
    expect(asked).toEqual([]);
  });

  test('no private address, by number or by name, though the host is allowed', async () => {
    const named = new URL(`https://localhost:${base.port}`);
    for (const address of [new URL(`https://127.0.0.1:${base.port}`), named, new URL(`https://[::1]:${base.port}`)]) {
      const { send } = open({ base: address }, { allowHosts: [address.host], privateHosts: [] });
      await expect(send()).rejects.toBeInstanceOf(NotAllowed);
    }
  });

  test('nobody in the clear, unless the way is closed', async () => {
    const { send } = open(
      { base: new URL('http://example.com') },
      { allowHosts: ['example.com:80'], privateHosts: [] },
    );
    await expect(send()).rejects.toThrow(/by https only/);
  });

  test('and a redirect is an answer like any other: nothing is sent to where it points', async () => {
    respond = [status(307, { Location: `${base.href}/elsewhere` })];
    expect((await open().send({ method: 'POST', body: {} })).status).toBe(307);
    expect(asked).toHaveLength(1);
  });

  test.each([
    ['8.8.8.8', true],
    ['140.82.121.6', true],
    ['2606:50c0:8000::153', true],
    ...[
      '10.1.2.3',
      '127.0.0.1',
      '169.254.169.254',
      '172.16.0.1',
      '192.168.1.1',
      '100.64.0.1',
      '0.0.0.0',
      '224.0.0.1',
    ].map((address) => [address, false] as const),
    ...[
      '::1',
      '::',
      'fe80::1',
      'fd00::1',
      '::ffff:127.0.0.1',
      '::ffff:7f00:1',
      '64:ff9b::7f00:1',
      '2002:7f00:1::',
      'ff02::1',
      'no address',
    ].map((address) => [address, false] as const),
  ] as const)('%s is a public address: %s', (address, expected) => expect(isPublic(address)).toBe(expected));
});

describe('what is sent', () => {
  test('carries the trace and the correlation of who asks, and a stable key where the target knows one', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const { send } = open({ idempotencyHeader: 'Idempotency-Key' });
    await withContext({ correlationId: 'the-work', traceparent, actor: null }, () =>
      send({ method: 'POST', body: { a: 1 }, key: 'saga-1/ask' }),
    );
    const headers = asked[0]!.headers;
    expect(headers['x-correlation-id']).toBe('the-work');
    expect(headers['idempotency-key']).toBe('saga-1/ask');
    expect(headers['traceparent']).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-01$/);
    await open().send({ key: 'saga-1/ask' });
    expect(asked[1]!.headers['idempotency-key']).toBeUndefined();
  });

  test('has its bounds, and so has what comes back', async () => {
    const { send } = open();
    await expect(send({ method: 'POST', body: 'x'.repeat(1_000_001) })).rejects.toBeInstanceOf(NotAllowed);
    const tooMuch: Respond = (response) => void response.end(Buffer.alloc(10_000_001));
    respond = [tooMuch];
    await expect(send({ method: 'POST' })).rejects.toThrow(/more than 10000000 bytes/);
    respond = [(response) => void response.writeHead(200, { 'Content-Encoding': 'gzip' }).end('x')];
    await expect(send({ method: 'POST' })).rejects.toThrow(/encoding that was not asked for/);
  });
});

describe('what fails', () => {
  test('is tried again where that is safe', async () => {
    respond = [status(502), drop, fine];
    expect((await open().send()).status).toBe(200);
    expect(asked).toHaveLength(3);
  });

  test('is not tried again where nobody can tell whether it happened', async () => {
    respond = [drop];
    const error = await open()
      .send({ method: 'POST', body: {} })
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TargetAway);
    expect(error).toMatchObject({ mayHaveHappened: true, message: expect.stringContaining('POST /api/things') });
    expect(asked).toHaveLength(1);
  });

  test('surely did not happen where there was no connection', async () => {
    const closed = new URL(base);
    server.close();
    const { send } = open({ base: closed });
    const error = await send({ method: 'POST' }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'TargetAway', mayHaveHappened: false });
  });

  test('ends in time', async () => {
    respond = Array.from({ length: 4 }, () => () => undefined);
    // Long enough for each try to get there on a busy machine.
    const { send } = open({}, { timeoutMs: 400 });
    await expect(send()).rejects.toThrow(/no answer in time/);
    expect(asked).toHaveLength(4);
  });

  test("ends at once where whoever asked gives up, and is not the target's failure", async () => {
    respond = [() => setTimeout(() => giveUp.abort(new Error('enough')), 20)];
    const giveUp = new AbortController();
    const { send, state } = open();
    await expect(send({ signal: giveUp.signal })).rejects.toThrow('enough');
    expect(state()).toMatchObject({ lastFailure: null, underWay: 0 });
  });

  test('five times is left alone, and asked again after a rest', async () => {
    const { send, state } = open({}, { restMs: 100 });
    respond = Array.from({ length: 5 }, () => status(500));
    await expect(send()).rejects.toBeInstanceOf(TargetAway);
    await expect(send()).rejects.toBeInstanceOf(Postponed);
    await expect(send()).rejects.toBeInstanceOf(Postponed);
    expect(asked).toHaveLength(5);
    expect(state()).toMatchObject({
      breaker: 'open',
      lastFailure: { reason: 'a target: GET /api/things: it answers 500' },
    });
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect((await send()).status).toBe(200);
    expect(state().breaker).toBe('closed');
  });

  test('five times is left alone, too, where it answered before', async () => {
    respond = [...Array.from({ length: 8 }, () => fine), ...Array.from({ length: 5 }, () => status(500))];
    const { send, state } = open({ tries: 1 });
    for (let time = 0; time < 8; time++) await send();
    for (let time = 0; time < 5; time++) await expect(send()).rejects.toBeInstanceOf(TargetAway);
    expect(state().breaker).toBe('open');
  });

  test('is what the target does: its refusals are answers, and open nothing', async () => {
    respond = Array.from({ length: 8 }, () => status(404));
    const { send, state } = open();
    for (let time = 0; time < 8; time++) expect((await send()).status).toBe(404);
    expect(state().breaker).toBe('closed');
  });
});

describe('limits', () => {
  test('that end soon are waited for, by all', async () => {
    respond = [status(429, { 'Retry-After': '1' })];
    const { send, state } = open();
    const both = Promise.all([send({ method: 'POST' }), new Promise((r) => setTimeout(r, 100)).then(() => send())]);
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(state().limitedUntil).not.toBeNull();
    expect((await both).map((answer) => answer.status)).toEqual([200, 200]);
    expect(asked).toHaveLength(3);
    expect(asked[1]!.at - asked[0]!.at).toBeGreaterThan(900);
  });

  test('that last give the call back, and nothing is asked before their end', async () => {
    respond = [status(429, { 'Retry-After': '3600' })];
    const { send } = open();
    const error = await send({ method: 'POST' }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(LimitReached);
    expect((error as LimitReached).until.getTime()).toBeGreaterThan(Date.now() + 3_500_000);
    await expect(send()).rejects.toBeInstanceOf(LimitReached);
    expect(asked).toHaveLength(1);
  });

  test('of ours: so many at once, changes one after the other and apart, the urgent ones first', async () => {
    let most = 0;
    let now = 0;
    const slow: Respond = (response) => {
      most = Math.max(most, ++now);
      setTimeout(() => {
        now -= 1;
        response.end('{}');
      }, 20);
    };
    respond = Array.from({ length: 9 }, () => slow);
    const { send } = open({ atOnce: 2, changeEveryMilliseconds: 60 });
    await Promise.all(Array.from({ length: 5 }, () => send()));
    expect(most).toBe(2);
    const changes = ['first', 'low', 'high', 'normal'].map((name, index) =>
      send({ method: 'POST', path: `/${name}`, priority: [0, -1, 1, 0][index]! }),
    );
    await Promise.all(changes);
    const sent = asked.slice(5);
    expect(sent.map(({ path }) => path)).toEqual(['/api/first', '/api/high', '/api/normal', '/api/low']);
    expect(sent[3]!.at - sent[0]!.at).toBeGreaterThan(100);
  });

  test('a pace lets one after the other begin', async () => {
    const pace = createPace(20);
    const { signal } = new AbortController();
    const startedAt = performance.now();
    await Promise.all([pace(signal), pace(signal), pace(signal)]);
    expect(performance.now() - startedAt).toBeGreaterThan(38);
  });

  test('Retry-After is seconds or a date, and else nothing', () => {
    expect(retryAfter('5', 1_000)).toEqual(new Date(6_000));
    expect(retryAfter('Thu, 01 Jan 1970 00:00:09 GMT', 0)).toEqual(new Date(9_000));
    expect(retryAfter('soon', 0)).toBeNull();
    expect(retryAfter(undefined, 0)).toBeNull();
  });
});
