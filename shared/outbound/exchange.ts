import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { isPublic, publicOnly } from './addresses.ts';
import { NotAllowed, TargetAway } from './failures.ts';

export type Answer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
};

/** A body as JSON; undefined: it is none. */
export function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

export type Exchange = {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | null;
  readonly signal: AbortSignal;
  /** Bytes that the answer may have; 0: it is not looked at. */
  readonly mostBytes: number;
  /** Only so many of its last bytes are kept. */
  readonly lastBytes?: number;
};

/** One request and its answer, whatever status that has: never a redirect's target, never a second try. */
export type Exchanges = (exchange: Exchange) => Promise<Answer>;

/** Between two requests on one connection, milliseconds: shorter than most servers keep it. */
const KEEP_ALIVE_MILLISECONDS = 4_000;

/**
 * Connections of one target. @param isPrivate it may be at any address; else a public one only
 * @returns throws NotAllowed, TargetAway, or the signal's reason
 */
export function createExchanges({ isPrivate }: { readonly isPrivate: boolean }): Exchanges {
  const options = { keepAlive: true, timeout: KEEP_ALIVE_MILLISECONDS, maxSockets: 32 };
  const agents = { 'http:': new HttpAgent(options), 'https:': new HttpsAgent(options) };
  return ({ method, url, headers, body, signal, mostBytes, lastBytes = mostBytes }) => {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    if (!isPrivate && isIP(host) !== 0 && !isPublic(host))
      return Promise.reject(new NotAllowed(`${host} is not a public address`));
    const isSecure = url.protocol === 'https:';
    return new Promise<Answer>((resolve, reject) => {
      /** Before it has a connection, nothing can have happened. */
      let connected = false;
      const fail = (error: unknown): void => {
        if (signal.aborted && !isTimeout(signal)) return reject(signal.reason as Error);
        if (error instanceof NotAllowed || error instanceof TargetAway) return reject(error);
        reject(new TargetAway(wordsOf(error, signal), { mayHaveHappened: connected, cause: error }));
      };
      const request = (isSecure ? httpsRequest : httpRequest)(url, {
        ...{ method, signal, agent: agents[isSecure ? 'https:' : 'http:'] },
        headers: { ...headers, ...(body !== null && { 'Content-Length': String(body.length) }) },
        ...(!isPrivate && { lookup: publicOnly }),
      });
      request.on('error', fail);
      request.on('socket', (socket) => {
        if (!socket.connecting) connected = true;
        else socket.once(isSecure ? 'secureConnect' : 'connect', () => (connected = true));
      });
      request.on('response', (response) => {
        if (mostBytes === 0) {
          letGo(response);
          return resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.alloc(0) });
        }
        readBody(response, mostBytes, lastBytes).then(
          (bytes) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: bytes }),
          fail,
        );
      });
      request.end(body ?? undefined);
    });
  };
}

/** What is short is read, so that its connection can be used again. */
const LET_GO_BYTES = 65_536;

function letGo(response: IncomingMessage): void {
  let size = 0;
  response.on('error', () => undefined);
  response.on('data', (part: Buffer) => {
    size += part.length;
    if (size > LET_GO_BYTES) response.destroy();
  });
}

async function readBody(response: IncomingMessage, mostBytes: number, lastBytes: number): Promise<Buffer> {
  const encoding = response.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    response.destroy();
    throw new TargetAway(`an answer in an encoding that was not asked for (${encoding.slice(0, 40)})`, {
      mayHaveHappened: true,
    });
  }
  const parts: Buffer[] = [];
  let size = 0;
  let kept = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > mostBytes) {
      response.destroy();
      throw new TargetAway(`an answer of more than ${mostBytes} bytes`, { mayHaveHappened: true });
    }
    parts.push(part);
    kept += part.length;
    while (parts[0] !== undefined && kept - parts[0].length >= lastBytes) kept -= parts.shift()?.length ?? 0;
  }
  return Buffer.concat(parts).subarray(-lastBytes);
}

const isTimeout = ({ reason }: AbortSignal): boolean => reason instanceof Error && reason.name === 'TimeoutError';

function wordsOf(error: unknown, signal: AbortSignal): string {
  if (isTimeout(signal)) return 'no answer in time';
  const { code, message } = error as NodeJS.ErrnoException;
  return code === undefined || message.includes(code) ? message : `${code} ${message}`;
}
