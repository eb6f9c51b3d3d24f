import type { Response } from 'express';
import type { Principal } from './principal.ts';
import type { TelemetryContext } from '../telemetry/request-context.ts';

/** What the middleware knows about the request that a response belongs to. */
export type RequestLocals = {
  context: TelemetryContext & { readonly traceparent: string };
  principal: Principal | null;
};

export const locals = (response: Response): RequestLocals => response.locals as RequestLocals;
