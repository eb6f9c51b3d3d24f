import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import type { Logger } from '../telemetry/logger.ts';
import { type Authenticate, mountRoutes, sendProblem } from './mount.ts';
import { type ApiInformation, openApi } from './openapi.ts';
import { Problem, toProblem } from './problem.ts';
import { requestContext, locals } from './request-context-middleware.ts';
import { type Route, route } from './route.ts';

export type ApplicationOptions = {
  readonly routes: readonly Route[];
  readonly authenticate: Authenticate;
  readonly logger: Logger;
  /** Title and version for OpenAPI. */
  readonly title: string;
  readonly version: string;
  /** Sees each request before its route does. */
  readonly before?: RequestHandler | null | undefined;
  /** Answers what no route does; default: 404. */
  readonly otherwise?: RequestHandler;
};

/** An API serves data: nothing in it may be run or framed. Headers that only old plug-ins and browsers read are left out. */
const securityHeaders = helmet({
  contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
  originAgentCluster: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xFrameOptions: false,
  xPermittedCrossDomainPolicies: false,
  xPoweredBy: false,
  xXssProtection: false,
});

/** The whole HTTP application of a service: context, security headers, routes, OpenAPI, problem details for all the rest. */
export function createApplication(options: ApplicationOptions): Express {
  const { routes, authenticate, logger, title, version, before, otherwise = unknownRoute } = options;
  const application = express();
  application.disable('x-powered-by');
  application.set('etag', false);
  application.set('query parser', 'simple');
  application.use(requestContext(logger));
  application.use(securityHeaders);
  if (before) application.use(before);
  application.use(mountRoutes([...routes, openApiRoute(routes, { title, version })], authenticate));
  application.use(otherwise);
  application.use(answerErrors(logger));
  return application;
}

/** GET /api/v1/openapi.json: the description of all the given routes and of itself. Public: it says nothing that is secret. */
function openApiRoute(routes: readonly Route[], information: ApiInformation): Route {
  let document: Record<string, unknown> | undefined;
  const self: Route = route({
    method: 'get',
    path: '/api/v1/openapi.json',
    role: 'public',
    summary: 'This description (OpenAPI 3.1)',
    answers: { 200: { description: 'An OpenAPI 3.1 document.' } },
    handler: () => ({ json: (document ??= openApi([...routes, self], information)) }),
  });
  return self;
}

/** Turns whatever was thrown into problem details, and logs what is our fault. */
const answerErrors =
  (logger: Logger): ErrorRequestHandler =>
  (error: unknown, _request, response, _next) => {
    const { context } = locals(response);
    const problem = toProblem(error);
    if (problem.status >= 500) logger.error({ ...context, error, problem: problem.code }, 'request failed');
    // Midway through an answer nothing can be said any more: the cut connection tells the client.
    if (response.headersSent) response.destroy();
    else sendProblem(response, problem, context.correlationId);
  };

const unknownRoute: RequestHandler = (request) => {
  throw new Problem('unknown-route', `there is no ${request.method} ${request.path}; see /api/v1/openapi.json`);
};
