import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hashSecret, secretMatches } from '@workledger/shared/security/api-key.ts';

export type Reply = { readonly status: number; readonly json: string };

/** Answers what a program of one run asks; the path is its name. */
export type Handlers = Readonly<Record<string, (body: unknown) => Promise<Reply>>>;

export type Endpoint = {
  /** On this machine's loopback. */
  readonly port: number;
  /** Bearer token, of this endpoint alone. */
  readonly token: string;
  close(): Promise<void>;
};

const MOST_BYTES = 4_000_000;

export const reply = (status: number, value: unknown): Reply => ({ status, json: JSON.stringify(value) });

/** As OpenAI's API tells that it refuses. */
export const refusal = (status: number, message: string, code: string): Reply =>
  reply(status, { error: { message, type: code, code } });

/** Listens on loopback for the programs of one run, in a sandbox or not; whoever has no token gets nothing. */
export async function openEndpoint(handlers: Handlers): Promise<Endpoint> {
  const token = randomBytes(32).toString('base64url');
  const hash = hashSecret(`Bearer ${token}`);
  const server = createServer((request, response) => {
    void answer(request, handlers, hash).then(
      ({ status, json }) => send(response, status, json),
      () => send(response, 500, '{}'),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    token,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

function send(response: ServerResponse, status: number, json: string): void {
  response.on('error', () => undefined);
  response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8' });
  response.end(json);
}

async function answer(request: IncomingMessage, handlers: Handlers, hash: string): Promise<Reply> {
  if (!secretMatches(request.headers.authorization ?? '', hash))
    return refusal(401, 'no token of this run', 'invalid_api_key');
  const path = (request.url ?? '').split('?', 1)[0] ?? '';
  const handler = request.method === 'POST' && Object.hasOwn(handlers, path) ? handlers[path] : undefined;
  if (handler === undefined) return refusal(404, `nothing here at ${path.slice(0, 200)}`, 'not_found');
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MOST_BYTES) return refusal(413, `more than ${MOST_BYTES} bytes`, 'too_large');
    parts.push(part);
  }
  return handler(parse(Buffer.concat(parts).toString('utf8')));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
