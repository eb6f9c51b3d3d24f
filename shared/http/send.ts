import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';
import { problemDocument, type Problem } from './problem.ts';
import type { Reply } from './route.ts';

/** Sends a reply. A stream is pulled as fast as the client reads; when it fails midway the connection is cut. */
export async function sendReply(response: Response, reply: Reply): Promise<void> {
  response.status(reply.status ?? 200);
  if (reply.headers !== undefined) response.set(reply.headers);
  if ('json' in reply) {
    response.json(reply.json);
    return;
  }
  response.set('Content-Type', reply.mediaType);
  if ('bytes' in reply) response.send(Buffer.from(reply.bytes.buffer, reply.bytes.byteOffset, reply.bytes.byteLength));
  else await pipeline(Readable.from(reply.stream), response);
}

/** Sends problem details (RFC 9457). */
export function sendProblem(response: Response, problem: Problem, correlationId: string): void {
  const instance = response.req.originalUrl.split('?', 1)[0] ?? '/';
  response
    .status(problem.status)
    .set({ ...problem.headers, 'Cache-Control': 'no-store', 'Content-Type': 'application/problem+json' })
    .send(Buffer.from(JSON.stringify(problemDocument(problem, { instance, correlationId }))));
}
