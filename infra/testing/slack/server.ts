import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What goes wrong with a request: before it is looked at, or after it was done. */
export type Fault =
  | { readonly kind: 'answer'; readonly answer: ServerAnswer }
  | { readonly kind: 'drop' | 'drop-after' | 'hang-after' };

export type ServerAnswer = {
  readonly status?: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
};

/** What was asked, as the server of a test took it. */
export type Asked = {
  /** What its calls are counted by: a method, or the field that is asked for. */
  readonly name: string;
  readonly headers: IncomingMessage['headers'];
  readonly data: Readonly<Record<string, unknown>>;
};

/**
 * A server of JSON that a test can let go wrong, and that counts what it was asked.
 * @param understand what a request asks for @param answerTo does it
 */
export async function startJsonServer(
  understand: (method: string, url: URL, body: string) => Omit<Asked, 'headers'>,
  answerTo: (asked: Asked) => ServerAnswer,
) {
  const calls: { readonly name: string; readonly data: Asked['data']; readonly answer: object }[] = [];
  const faults: { readonly name: string; readonly fault: Fault; left: number }[] = [];

  function serve(request: IncomingMessage, response: ServerResponse, body: string): void {
    const asked = {
      ...understand(request.method ?? '', new URL(request.url ?? '', url), body),
      headers: request.headers,
    };
    const found = faults.find(({ name, left }) => left > 0 && name === asked.name);
    if (found !== undefined) found.left -= 1;
    const fault = found?.fault;
    if (fault?.kind === 'drop') return void response.destroy();
    const answer = fault?.kind === 'answer' ? fault.answer : answerTo(asked);
    calls.push({ name: asked.name, data: asked.data, answer: answer.body });
    if (fault?.kind === 'drop-after') return void response.destroy();
    if (fault?.kind === 'hang-after') return undefined;
    response.writeHead(answer.status ?? 200, { 'Content-Type': 'application/json; charset=utf-8', ...answer.headers });
    response.end(JSON.stringify(answer.body));
  }

  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => serve(request, response, body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const url = `http://${host}`;
  return {
    ...{ url, host, calls },
    /** So many of the next such requests go wrong. */
    fail: (name: string, fault: Fault, times = 1): void => void faults.push({ name, fault, left: times }),
    /** How often it was asked for that, and said that it did it. */
    count: (name: string): number => calls.filter((call) => call.name === name).length,
    close: (): Promise<void> => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
