import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

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
