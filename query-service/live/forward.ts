import { createServer, request as requestOver, type IncomingMessage, type RequestListener } from 'node:http';
import { duplexPair } from 'node:stream';
import { Problem } from '@workledger/shared/http/problem.ts';
import { timeoutSignal } from '@workledger/shared/resilience/timeout-signal.ts';

export type ForwardedCommand = {
  readonly method: string;
  /** Whole: `/api/v1/…`. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: unknown;
  /** The caller's own. */
  readonly authorization: string;
};
export type CommandReply = {
  readonly status: number;
  readonly body: unknown;
  readonly consistencyToken?: string;
};

/** Sends a command to command-service as whoever is on the line would over HTTP. @throws Problem `unavailable`, `not-configured` */
export type SendCommand = (command: ForwardedCommand) => Promise<CommandReply>;

const PATIENCE = 30_000;

const headersOf = ({ headers, authorization }: ForwardedCommand): Record<string, string> => ({
  Authorization: authorization,
  'Content-Type': 'application/json',
  ...Object.fromEntries(Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined)),
});

const unavailable = (cause: unknown): Problem =>
  new Problem('unavailable', 'command-service did not answer: whether it took effect is not known', { cause });

/** To command-service in other processes; the next is asked where one is not there. None: there is no way. */
export const sendOverHttp =
  (urls: readonly string[]): SendCommand =>
  async (command) => {
    if (urls.length === 0)
      throw new Problem('not-configured', 'this service was not told where command-service is: send commands by HTTP');
    const url = urls[Math.floor(Math.random() * urls.length)] ?? '';
    const response = await fetch(`${url}${command.path}`, {
      method: command.method,
      headers: headersOf(command),
      body: JSON.stringify(command.body ?? {}),
      signal: timeoutSignal(PATIENCE),
    }).catch((error: unknown) => {
      throw unavailable(error);
    });
    return replyOf(response.status, await response.text(), response.headers.get('consistency-token'));
  };

/** To the application of this process, over a pair of streams in place of a connection: the same checks, no port. */
export function sendInProcess(application: () => RequestListener): SendCommand {
  const server = createServer((request, response) => application()(request, response));
  return (command) =>
    new Promise((resolve, reject) => {
      const [near, far] = duplexPair();
      server.emit('connection', far);
      const fail = (error: unknown): void => reject(unavailable(error));
      const { method, path } = command;
      const headers = { ...headersOf(command), Connection: 'close', Host: 'localhost' };
      const sent = requestOver({ method, path, headers, createConnection: () => near, timeout: PATIENCE });
      sent.on('error', fail).on('timeout', () => sent.destroy(new Error('no answer in time')));
      sent.on('response', (response: IncomingMessage) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', fail);
        response.on('end', () => {
          const token = response.headers['consistency-token'];
          near.destroy();
          resolve(
            replyOf(
              response.statusCode ?? 0,
              String(Buffer.concat(chunks)),
              token === undefined ? null : String(token),
            ),
          );
        });
      });
      sent.end(JSON.stringify(command.body ?? {}));
    });
}

function replyOf(status: number, text: string, token: string | null): CommandReply {
  let body: unknown = null;
  try {
    body = JSON.parse(text);
  } catch {
    // A proxy between may answer with anything.
  }
  return { status, body, ...(token !== null && { consistencyToken: token }) };
}
