import { isUtf8 } from 'node:buffer';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import type { Peer, Principal, Route, RouteInput, Reply } from './route.ts';
import { parsePart, pickHeaders } from './parse.ts';
import { fewAtOnce } from './few-at-once.ts';
import { Problem, problemDocument } from './problem.ts';
import { locals } from './request-context-middleware.ts';

/** Finds out who sends a request. @throws Problem `unauthenticated` */
export type Authenticate = (authorization: string | undefined, peer: Peer) => Principal | Promise<Principal>;

/**
 * Makes an Express router from a table of routes. Of each request first the caller is checked, then the body read, then all parts
 * parsed; what a path does not know as a method is answered 405.
 */
export function mountRoutes(routes: readonly Route[], authenticate: Authenticate): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const ordered = inMatchingOrder(routes);
  ordered.forEach((route, index) => {
    const path = expressPath(route.path);
    router[route.method](path, checkCaller(route, authenticate), ...readBody(route), answer(route));
    const next = ordered[index + 1];
    // Before the paths that come after it: `PUT /tasks/next` is not for `/tasks/{id}`.
    if (next === undefined || pathPattern(next.path) !== pathPattern(route.path))
      router.all(path, refuseMethod(ordered, route.path));
  });
  return router;
}

const NO_BYTES = new Uint8Array();

const expressPath = (path: string): string => path.replace(/\{(\w+)\}/g, ':$1');

const checkCaller = (route: Route, authenticate: Authenticate): RequestHandler => {
  const { role } = route;
  if (role === 'public') return (_request, _response, next) => next();
  return (request, response, next) => {
    const admit = (principal: Principal): void => {
      const known = locals(response);
      known.principal = principal;
      known.context.actor = principal.actor;
      if (!role.includes(principal.role))
        throw new Problem('forbidden', `role ${principal.role} may not do this; it takes ${role.join(' or ')}`);
      if (principal.repositories !== null && route.scoped !== true && route.scoped?.includes(principal.role) !== true)
        throw new Problem('forbidden', 'this is more than the repositories that the key is limited to');
      next();
    };
    const found = authenticate(request.headers.authorization, peerOf(request));
    if (!(found instanceof Promise)) return admit(found);
    return found.then(admit);
  };
};

const peerOf = ({ socket, headers }: Request): Peer => ({
  address: socket.remoteAddress ?? '',
  forwardedFor: headers['x-forwarded-for'] as string | undefined,
});

const answer =
  (route: Route): RequestHandler =>
  async (request, response) => {
    await sendReply(response, await route.handle(inputOf(route, request, response)));
  };

function inputOf(route: Route, request: Request, response: Response): RouteInput {
  const { principal, context } = locals(response);
  const body: unknown = request.body;
  return {
    params: route.params && parsePart(route.params, request.params, 'path'),
    query: route.query && parsePart(route.query, request.query, 'query'),
    headers: route.headers && parsePart(route.headers, pickHeaders(route.headers, request.headers), 'headers'),
    body: route.body && parsePart(route.body, body ?? {}, 'body'),
    bytes: body instanceof Uint8Array ? body : NO_BYTES,
    mediaType: route.raw === undefined ? '' : request.is([...route.raw.mediaTypes]) || route.raw.mediaTypes[0],
    principal,
    correlationId: context.correlationId,
    traceparent: context.traceparent,
    get signal() {
      return abortOnClose(response);
    },
  };
}

function abortOnClose(response: Response): AbortSignal {
  const controller = new AbortController();
  if (response.closed) controller.abort();
  else response.once('close', () => response.writableFinished || controller.abort());
  return controller.signal;
}

function refuseMethod(routes: readonly Route[], path: string): RequestHandler {
  const methods = routes
    .filter((route) => pathPattern(route.path) === pathPattern(path))
    .map((route) => route.method.toUpperCase());
  const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
  return (request, response) => {
    if (request.method !== 'OPTIONS')
      throw new Problem('method-not-allowed', `${request.method} is not for ${path}`, { headers: { Allow: allow } });
    response.status(204).set('Allow', allow).end();
  };
}

/** The path with its parameters' names left out: equal for paths that match the same requests. */
const pathPattern = (path: string): string => path.replaceAll(/\{\w+\}/g, '{}');

/** Sorts so that a fixed word comes before a parameter at the same place: `/tasks/next` before `/tasks/{id}`. */
const inMatchingOrder = (routes: readonly Route[]): Route[] =>
  routes.toSorted((left, right) => compareText(sortKey(left.path), sortKey(right.path)));

const sortKey = (path: string): string => pathPattern(path).replaceAll('{}', '\uffff');

const compareText = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

const DEFAULT_LIMIT = 100 * 1024;
const JSON_TYPES = ['application/json', 'application/*+json'];

/** The middleware that reads a route's body; none for a route without a body. Another media type is refused unread. */
function readBody(route: Route): RequestHandler[] {
  const limit = route.maxBodyBytes ?? DEFAULT_LIMIT;
  if (route.raw !== undefined) {
    // A signature is over the bytes as they were sent: a compressed body is refused, not inflated.
    const type = [...route.raw.mediaTypes];
    const waiting = route.largeBodyBytes === undefined ? [] : [fewAtOnce({ largeBytes: route.largeBodyBytes, limit })];
    return [onlyType(type), ...waiting, noLongerThan(limit), express.raw({ limit, type, inflate: false })];
  }
  if (route.body === undefined) return [];
  return [
    onlyType(JSON_TYPES),
    noLongerThan(limit),
    express.json({ limit, type: JSON_TYPES, verify: refuseOtherThanUtf8 }),
  ];
}

const onlyType =
  (types: string[]): RequestHandler =>
  (request, _response, next) => {
    if (hasBody(request) && !request.is(types))
      throw new Problem(
        'unsupported-media-type',
        `send the body as ${types.filter((type) => !type.includes('*')).join(' or ')}`,
      );
    next();
  };

/** So many bytes beyond the limit are read and thrown away, so that who still sends hears the answer. */
const LATE_BYTES = 8 * 1024 * 1024;

/** Says at once that a body is too long, where its length is told; a body that goes on and on is cut. The parser counts, but reads to the end. */
const noLongerThan =
  (limit: number): RequestHandler =>
  (request, response, next) => {
    const told = request.headers['content-length'];
    if (told === undefined) {
      let seen = 0;
      request.on('data', (chunk: Uint8Array) => {
        seen += chunk.byteLength;
        if (seen > limit + LATE_BYTES) request.socket.destroy();
      });
    } else if (Number(told) > limit) {
      if (Number(told) > limit + LATE_BYTES) response.set('Connection', 'close');
      throw new Problem('too-large', `the body is too large (limit: ${limit} bytes)`);
    }
    next();
  };

const hasBody = (request: Request): boolean =>
  request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;

function refuseOtherThanUtf8(_request: unknown, _response: unknown, bytes: Buffer): void {
  if (!isUtf8(bytes)) throw new Problem('invalid-json', 'the body is not UTF-8');
}

/** Sends a reply. A stream is pulled as fast as the client reads; when it fails midway the connection is cut. */
async function sendReply(response: Response, reply: Reply): Promise<void> {
  if ('stream' in reply) return sendStream(response, reply);
  response.status(reply.status ?? 200);
  if (reply.headers !== undefined) response.set(reply.headers);
  if ('json' in reply) {
    response.json(reply.json);
    return;
  }
  response.set('Content-Type', reply.mediaType);
  response.send(Buffer.from(reply.bytes.buffer, reply.bytes.byteOffset, reply.bytes.byteLength));
}

/**
 * Nothing is pulled for HEAD, nor for a client that has it already (If-None-Match). The first chunk is there before the answer
 * begins, so that what fails at once is still a problem.
 */
async function sendStream(response: Response, reply: Extract<Reply, { stream: unknown }>): Promise<void> {
  const headers = { ...reply.headers, 'Content-Type': reply.mediaType };
  response.status(reply.status ?? 200).set(headers);
  const isKnown = knows(response.req.headers['if-none-match'], reply.headers?.['ETag']);
  if (isKnown) response.status(304).removeHeader('Content-Length');
  if (isKnown || response.req.method === 'HEAD') return void response.end();
  const reader = reply.stream[Symbol.asyncIterator]();
  const first = await reader.next().catch((error: unknown) => {
    for (const name of Object.keys(headers)) response.removeHeader(name);
    throw error;
  });
  await pipeline(Readable.from(resumed(first, reader), { highWaterMark: 1 }), response);
}

/** Express' own look counts `Cache-Control: no-cache`, which fetch adds by itself and which is for caches, not for us. */
const knows = (tags: string | undefined, ours: string | undefined): boolean =>
  ours !== undefined &&
  (tags ?? '').split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === ours);

async function* resumed<Chunk>(first: IteratorResult<Chunk>, reader: AsyncIterator<Chunk>): AsyncGenerator<Chunk> {
  try {
    for (let item = first; item.done !== true; item = await reader.next()) yield item.value;
  } finally {
    await reader.return?.();
  }
}

/** Sends problem details (RFC 9457). */
export function sendProblem(response: Response, problem: Problem, correlationId: string): void {
  const instance = response.req.originalUrl.split('?', 1)[0] ?? '/';
  response
    .status(problem.status)
    .set({ ...problem.headers, 'Cache-Control': 'no-store', 'Content-Type': 'application/problem+json' })
    .send(Buffer.from(JSON.stringify(problemDocument(problem, { instance, correlationId }))));
}
