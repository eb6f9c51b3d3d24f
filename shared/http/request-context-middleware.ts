import { randomUUID } from 'node:crypto';
import type { Response, RequestHandler } from 'express';
import { type TelemetryContext, withContext } from '../telemetry/request-context.ts';
import type { Logger } from '../telemetry/logger.ts';
import { childTraceparent, formatTraceparent, parseTraceparent } from '../telemetry/traceparent.ts';
import type { Principal } from './route.ts';

/** What the middleware knows about the request that a response belongs to. */
type RequestLocals = {
  context: TelemetryContext & { readonly traceparent: string };
  principal: Principal | null;
};

export const locals = (response: Response): RequestLocals => response.locals as RequestLocals;

const SANE_ID = /^[A-Za-z0-9._:-]{1,128}$/;

/** Opens the request's context (correlation id, span), echoes the correlation id, and writes one log line at its end. */
export const requestContext =
  (logger: Logger): RequestHandler =>
  (request, response, next) => {
    const given = request.get('x-correlation-id');
    const correlationId = given !== undefined && SANE_ID.test(given) ? given : randomUUID();
    const parent = parseTraceparent(request.get('traceparent'));
    const context = { correlationId, traceparent: formatTraceparent(childTraceparent(parent)), actor: null };
    const known = locals(response);
    known.context = context;
    known.principal = null;
    response.setHeader('X-Correlation-Id', correlationId);

    const began = performance.now();
    response.once('close', () => {
      const path = request.originalUrl.split('?', 1)[0];
      const level = path?.startsWith('/health') ? 'debug' : 'info';
      const durationMs = Math.round((performance.now() - began) * 100) / 100;
      // Events of the socket do not run in the request's own context: it is named here.
      logger[level](
        {
          ...context,
          method: request.method,
          path,
          status: response.statusCode,
          durationMs,
          complete: response.writableFinished,
        },
        'request',
      );
    });
    withContext(context, next);
  };
