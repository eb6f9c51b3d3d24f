import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { takeUpgrades, type Upgrade } from './upgrade.ts';

export type RunningServer = {
  /** `http://host:port` (https with TLS), with the port that it really got. */
  readonly url: string;
  readonly port: number;
  /** Accepts nothing new, lets what is in flight finish for at most `drain` milliseconds, then closes. Idempotent. */
  stop(drain: number): Promise<void>;
};

/** The address cannot be listened on; the message says what to do. */
export class CannotListen extends Error {
  override name = 'CannotListen';
}

/** What one client, or all of them, can take of a server. Times in milliseconds. */
export type ServerLimits = {
  /** Until the head of a request is there. */
  readonly headersTimeout: number;
  /** Until the whole of it is, with its body. */
  readonly requestTimeout: number;
  /** Of a connection on which nobody says or reads anything while an answer is due. */
  readonly idleTimeout: number;
  /** Between two requests on one connection. */
  readonly keepAliveTimeout: number;
  /** More connections at the same time are closed at once. */
  readonly maxConnections: number;
  readonly maxHeaders: number;
  /** Bytes of path and headers: room for the largest token, as a parameter and as a header. */
  readonly maxHeaderSize: number;
};

const LIMITS: ServerLimits = {
  headersTimeout: 15_000,
  requestTimeout: 60_000,
  idleTimeout: 120_000,
  keepAliveTimeout: 5_000,
  // Of these the live channel takes at most 3,000.
  maxConnections: 4_000,
  maxHeaders: 100,
  maxHeaderSize: 32 * 1024,
};
/** Node looks so often for requests that are too slow, where the limits themselves are not shorter. */
const SLOW_CHECK = 5_000;
const IDLE_CHECK = 20;

type Address = {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Certificate and key as PEM: HTTPS only. */
  readonly tls?: { readonly certificate: string; readonly key: string } | null;
  /** Takes WebSockets; left out: such a wish is not heard. */
  readonly upgrade?: Upgrade | undefined;
};

/** Starts an HTTP server, or an HTTPS one. @throws CannotListen */
export async function startServer(
  application: RequestListener,
  { host, port, tls = null, upgrade }: Address,
  changed: Partial<ServerLimits> = {},
): Promise<RunningServer> {
  const { idleTimeout, maxConnections, maxHeaders, ...timeouts } = { ...LIMITS, ...changed };
  const connectionsCheckingInterval = Math.min(SLOW_CHECK, timeouts.headersTimeout, timeouts.requestTimeout);
  const common = { ...timeouts, connectionsCheckingInterval };
  const server = tls === null ? createServer(common, application) : createSecureServer(common, tls, application);
  if (upgrade !== undefined) takeUpgrades(server, upgrade);
  server.maxConnections = maxConnections;
  server.maxHeadersCount = maxHeaders;
  server.timeout = idleTimeout;
  await listen(server, host, port);
  const actual = (server.address() as AddressInfo).port;
  let stopped: Promise<void> | undefined;
  return {
    url: `${tls === null ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${actual}`,
    port: actual,
    stop: (drain) => (stopped ??= drainAndClose(server, drain)),
  };
}

/** For a year nobody who was here once comes without TLS. */
const STRICT = 'max-age=31536000';

function createSecureServer(
  common: object,
  { certificate, key }: NonNullable<Address['tls']>,
  application: RequestListener,
): Server {
  const strictly: RequestListener = (request, response) => {
    response.setHeader('Strict-Transport-Security', STRICT);
    application(request, response);
  };
  try {
    return createTlsServer({ ...common, cert: certificate, key, minVersion: 'TLSv1.2' }, strictly);
  } catch (error) {
    throw new CannotListen(
      `tls: ${(error as Error).message} → use a certificate and the key that belongs to it, both as PEM`,
      { cause: error },
    );
  }
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
