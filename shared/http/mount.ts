import { Router, type Request, type RequestHandler, type Response } from 'express';
import type { Principal } from '../security/principal.ts';
import { parsePart, pickHeaders } from './parse.ts';
import { Problem } from './problem.ts';
import { readBody } from './read-body.ts';
import { locals } from './request-locals.ts';
import { inMatchingOrder, pathPattern } from './route-order.ts';
import type { Route, RouteInput } from './route.ts';
import { sendReply } from './send.ts';

/** Finds out who sends a request. @throws Problem `unauthenticated` */
export type Authenticate = (authorization: string | undefined) => Principal | Promise<Principal>;

/**
 * Makes an Express router from a table of routes. Of each request first the caller is checked, then the body read, then all parts
 * parsed; what a path does not know as a method is answered 405.
 */
export function mountRoutes(routes: readonly Route[], authenticate: Authenticate): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const ordered = inMatchingOrder(routes);
  for (const route of ordered)
    router[route.method](expressPath(route.path), checkCaller(route, authenticate), ...readBody(route), answer(route));
  for (const { path } of ordered) router.all(expressPath(path), refuseMethod(ordered, path));
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
      next();
    };
    const found = authenticate(request.headers.authorization);
    if (!(found instanceof Promise)) return admit(found);
    return found.then(admit);
  };
};

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
