import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export type RunningServer = {
  /** `http://host:port`, with the port that it really got. */
  readonly url: string;
  readonly port: number;
  /** Accepts nothing new, lets what is in flight finish for at most `drain` milliseconds, then closes. Idempotent. */
  stop(drain: number): Promise<void>;
};

/** The address cannot be listened on; the message says what to do. */
export class CannotListen extends Error {
  override name = 'CannotListen';
}

const REQUEST_TIMEOUT = 60_000;
const IDLE_CHECK = 20;

/** Starts an HTTP server. @param address port 0: any free one @throws CannotListen */
export async function startServer(
  application: RequestListener,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<RunningServer> {
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT }, application);
  await listen(server, host, port);
  const actual = (server.address() as AddressInfo).port;
  let stopped: Promise<void> | undefined;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${actual}`,
    port: actual,
    stop: (drain) => (stopped ??= drainAndClose(server, drain)),
  };
}

const listen = (server: Server, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(error, host, port)));
    server.listen(port, host, resolve);
  });

function cannotListen(error: NodeJS.ErrnoException, host: string, port: number): CannotListen {
  const remedies: Readonly<Record<string, string>> = {
    EADDRINUSE: 'the port is taken → stop the other program, or set another port',
    EACCES: 'not allowed → use a port from 1024 on',
    EADDRNOTAVAIL: 'this machine has no such address → set another host',
    ENOTFOUND: 'no such host → set another host',
  };
  const remedy = remedies[error.code ?? ''] ?? `${error.code ?? error.message} → set another host or port`;
  return new CannotListen(`${host}:${port}: ${remedy}`, { cause: error });
}

async function drainAndClose(server: Server, drain: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A kept-alive connection becomes idle when its last answer is out: it would hold the stop up until it times out.
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK);
  const deadline = setTimeout(() => server.closeAllConnections(), drain);
  await closed;
  clearInterval(idle);
  clearTimeout(deadline);
}
