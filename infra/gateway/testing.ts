import { request, createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { afterAll } from 'vitest';
import { removeFolder, temporaryFolder } from '../testing/processes/folder.ts';
import { findCaddy, type Caddy, fetchCaddy, HOW_TO_GET_IT } from './caddy.ts';
import { startGateway, type Gateway } from './start-gateway.ts';
import type { AddressInfo } from 'node:net';

/** Caddy for tests; null where it cannot be had, which is a failure where WORKLEDGER_REQUIRE=1. */
export async function caddyForTests(): Promise<Caddy | null> {
  const caddy = (await findCaddy()) ?? (await fetchCaddy((line) => console.warn(line)));
  if (caddy !== null) return caddy;
  if (process.env['WORKLEDGER_REQUIRE'] === '1') throw new Error(HOW_TO_GET_IT);
  console.warn(`gateway tests skipped: ${HOW_TO_GET_IT}`);
  return null;
}

/** A folder that goes after the tests of this file. */
export async function gatewayFolder(): Promise<string> {
  const folder = await temporaryFolder('gateway');
  afterAll(() => removeFolder(folder));
  return folder;
}

export type Stand = {
  readonly gateway: Gateway;
  readonly commands: readonly Upstream[];
  readonly queries: readonly Upstream[];
};

/** A gateway with two instances of each service behind it, all gone after the tests of this file. */
export async function startStand(): Promise<Stand> {
  const [c1, c2, q1, q2] = await Promise.all(['c1', 'c2', 'q1', 'q2'].map(startUpstream));
  const [commands, queries] = [
    [c1!, c2!],
    [q1!, q2!],
  ];
  const gateway = await startGateway({
    listen: { host: '127.0.0.1', port: 0 },
    commandServices: commands.map(({ address }) => address),
    queryServices: queries.map(({ address }) => address),
    folder: await gatewayFolder(),
    log: () => undefined,
  });
  if (gateway === null) throw new Error(HOW_TO_GET_IT);
  afterAll(async () => {
    await gateway.stop();
    await Promise.all([...commands, ...queries].map((upstream) => upstream.die()));
  });
  return { gateway, commands, queries };
}

export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
};

/** A request whose answer is JSON. */
export async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const { status, headers, ...response } = await fetch(url, init).then(async (answer) => ({
    status: answer.status,
    headers: answer.headers,
    text: await answer.text(),
  }));
  const body = response.text === '' ? {} : (JSON.parse(response.text) as Record<string, unknown>);
  return { status, headers, body };
}

/** Sends the path as it is; fetch would tidy it up. @returns the status */
export const askRaw = (url: string, method: string, path: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    request({ hostname, port, method, path }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .once('error', reject)
      .end();
  });

export type Received = {
  readonly method: string;
  readonly path: string;
  readonly bytes: number;
  readonly headers: IncomingMessage['headers'];
};

export type Upstream = {
  readonly name: string;
  /** `host:port` */
  readonly address: string;
  /** What it got, health apart. */
  readonly received: Received[];
  /** What /health/ready says from now on. */
  ready: boolean;
  /** Answers instead of the echo; the body has been read. */
  answer: ((request: Received, response: ServerResponse) => void) | null;
  /** Drops all connections and listens no more, as after kill -9. */
  die(): Promise<void>;
  /** Listens on the same port again. */
  revive(): Promise<void>;
};

/** A small service behind the gateway: tells its health, records what it gets, and answers with its name and what came. */
export async function startUpstream(name: string): Promise<Upstream> {
  const sawFirst: { port: number; server: Server | null } = { port: 0, server: null };
  const upstream: Upstream = {
    name,
    address: '',
    received: [],
    ready: true,
    answer: null,
    die: async () => {
      const { server } = sawFirst;
      sawFirst.server = null;
      server?.closeAllConnections();
      await new Promise<void>((resolve) => (server === null ? resolve() : server.close(() => resolve())));
    },
    revive: async () => {
      const server = createServer((request, response) => void serve(upstream, request, response));
      await new Promise<void>((resolve) => server.listen(sawFirst.port, '127.0.0.1', resolve));
      sawFirst.server = server;
      sawFirst.port = (server.address() as AddressInfo).port;
    },
  };
  await upstream.revive();
  return Object.assign(upstream, { address: `127.0.0.1:${sawFirst.port}` });
}

async function serve(upstream: Upstream, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = '', url = '', headers } = request;
  let bytes = 0;
  try {
    for await (const chunk of request) bytes += (chunk as Buffer).length;
  } catch {
    return;
  }
  if (url.startsWith('/health')) {
    response.statusCode = upstream.ready ? 200 : 503;
    response.end(JSON.stringify({ name: upstream.name, path: url }));
    return;
  }
  const received = { method, path: url, bytes, headers };
  upstream.received.push(received);
  if (upstream.answer !== null) return upstream.answer(received, response);
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify({ name: upstream.name, ...received }));
}
