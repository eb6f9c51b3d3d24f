import type { ErrorRequestHandler, RequestHandler } from 'express';
import type { Logger } from '../telemetry/logger.ts';
import { Problem } from './problem.ts';
import { locals } from './request-locals.ts';
import { sendProblem } from './send.ts';
import { toProblem } from './to-problem.ts';

/** Turns whatever was thrown into problem details, and logs what is our fault. */
export const answerErrors =
  (logger: Logger): ErrorRequestHandler =>
  (error: unknown, _request, response, _next) => {
    const { context } = locals(response);
    const problem = toProblem(error);
    if (problem.status >= 500) logger.error({ ...context, error, problem: problem.code }, 'request failed');
    // Midway through an answer nothing can be said any more: the cut connection tells the client.
    if (response.headersSent) response.destroy();
    else sendProblem(response, problem, context.correlationId);
  };

export const unknownRoute: RequestHandler = (request) => {
  throw new Problem('unknown-route', `there is no ${request.method} ${request.path}; see /api/v1/openapi.json`);
};
