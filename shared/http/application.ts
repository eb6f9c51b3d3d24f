import express, { type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import type { Logger } from '../telemetry/logger.ts';
import { answerErrors, unknownRoute } from './error-middleware.ts';
import { mountRoutes, type Authenticate } from './mount.ts';
import { openApiRoute } from './openapi-route.ts';
import { requestContext } from './request-context-middleware.ts';
import type { Route } from './route.ts';

export type ApplicationOptions = {
  readonly routes: readonly Route[];
  readonly authenticate: Authenticate;
  readonly logger: Logger;
  /** Title and version for OpenAPI. */
  readonly title: string;
  readonly version: string;
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
  const { routes, authenticate, logger, title, version, otherwise = unknownRoute } = options;
  const application = express();
  application.disable('x-powered-by');
  application.set('etag', false);
  application.set('query parser', 'simple');
  application.use(requestContext(logger));
  application.use(securityHeaders);
  application.use(mountRoutes([...routes, openApiRoute(routes, { title, version })], authenticate));
  application.use(otherwise);
  application.use(answerErrors(logger));
  return application;
}
