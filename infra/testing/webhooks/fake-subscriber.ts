import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Received = {
  /** On the server's clock, milliseconds. */
  readonly at: number;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly id: string;
  readonly body: string;
  /** The published type, without its version. */
  readonly type: string;
  readonly subject: string;
};

/** How it answers; left out: 204. May never do so. */
export type Answering = (response: ServerResponse, received: Received) => void;

export type FakeSubscriber = {
  readonly url: string;
  /** As the configuration names it. */
  readonly host: string;
  readonly received: Received[];
  /** Those to a path, in the order in which they came. */
  to(path: string): readonly Received[];
  /** Of a path from now on; null: as usual again. */
  answer(path: string, answering: Answering | null): void;
  close(): Promise<void>;
};

export const status =
  (code: number, headers: Readonly<Record<string, string>> = {}): Answering =>
  (response) =>
    void response.writeHead(code, headers).end();

/** Another system, to which events are sent: it keeps what it got, and answers as a test wants it. */
export async function startFakeSubscriber(port = 0): Promise<FakeSubscriber> {
  const received: Received[] = [];
  const answers = new Map<string, Answering>();
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts).toString('utf8');
      const event = (body === '' ? {} : JSON.parse(body)) as { type?: string; subject?: string };
      const one: Received = {
        at: Date.now(),
        path: request.url ?? '',
        headers: request.headers,
        id: String(request.headers['webhook-id']),
        body,
        type: (event.type ?? '').replace(/\.v\d+$/, ''),
        subject: event.subject ?? '',
      };
      received.push(one);
      (answers.get(one.path) ?? status(204))(response, one);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...{ url: `http://${host}`, host, received },
    to: (path) => received.filter((one) => one.path === path),
    answer: (path, answering) => void (answering === null ? answers.delete(path) : answers.set(path, answering)),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
