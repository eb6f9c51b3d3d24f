import { isUtf8 } from 'node:buffer';
import express, { type Request, type RequestHandler } from 'express';
import { Problem } from './problem.ts';
import type { Route } from './route.ts';

const DEFAULT_LIMIT = 100 * 1024;
const JSON_TYPES = ['application/json', 'application/*+json'];

/** The middleware that reads a route's body; none for a route without a body. Another media type is refused unread. */
export function readBody(route: Route): RequestHandler[] {
  const limit = route.maxBodyBytes ?? DEFAULT_LIMIT;
  if (route.raw !== undefined) {
    // A signature is over the bytes as they were sent: a compressed body is refused, not inflated.
    const type = route.raw.mediaType;
    return [onlyType([type]), express.raw({ limit, type, inflate: false })];
  }
  if (route.body === undefined) return [];
  return [onlyType(JSON_TYPES), express.json({ limit, type: JSON_TYPES, verify: refuseOtherThanUtf8 })];
}

const onlyType =
  (types: string[]): RequestHandler =>
  (request, _response, next) => {
    if (hasBody(request) && !request.is(types))
      throw new Problem('unsupported-media-type', `send the body as ${types[0] ?? ''}`);
    next();
  };

const hasBody = (request: Request): boolean =>
  request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;

function refuseOtherThanUtf8(_request: unknown, _response: unknown, bytes: Buffer): void {
  if (!isUtf8(bytes)) throw new Problem('invalid-json', 'the body is not UTF-8');
}
