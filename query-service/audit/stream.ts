import { z } from 'zod';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { parseStream } from '@workledger/shared/contexts/stream.ts';
import { Problem } from '@workledger/shared/http/problem.ts';
import { route, type Route } from '@workledger/shared/http/route.ts';
import { eventAnswer, NDJSON, acceptHeader, format, limit, replyEvents } from './reply.ts';
import { STREAM } from '../reading/consistency.ts';
import { pageOf } from '../reading/page.ts';
import { type QueryOptions, AUDITORS } from '../reading/query-route.ts';

const revision = z
  .string()
  .regex(/^\d{1,9}$/, 'a revision: a whole number from 0')
  .transform(Number);

const streamName = z
  .string()
  .toLowerCase()
  .refine(isStreamName, 'use <type>-<uuid>')
  .meta({ pattern: `^${STREAM}$` });

/** GET /streams/{stream} */
export const getStream = ({ log }: QueryOptions): Route =>
  route({
    method: 'get',
    path: '/api/v1/streams/{stream}',
    role: AUDITORS,
    summary: 'The events of a stream, as they were written',
    params: z.strictObject({ stream: streamName }),
    query: z.strictObject({
      from: revision.optional().describe('first revision to give, inclusive'),
      direction: z.enum(['forward', 'backward']).default('forward'),
      limit,
      format,
    }),
    headers: acceptHeader,
    answers: {
      200: {
        description: `A page of events, or with Accept: ${NDJSON} one event a line.`,
        schema: pageOf(eventAnswer),
        lines: NDJSON,
      },
    },
    problems: ['not-found'],
    handler: async ({ params: { stream }, query: { from, direction, ...asked }, headers, signal }) => {
      if (!(await exists(log, stream))) throw new Problem('not-found', `there is no stream ${stream}`);
      return replyEvents(
        (most) =>
          log.readStream(stream, {
            direction,
            signal,
            ...(from !== undefined && { from }),
            ...(most !== undefined && { limit: most }),
          }),
        { ...asked, accept: headers.accept },
        ({ revision: last }) => (direction === 'forward' ? String(last + 1) : last > 0 ? String(last - 1) : null),
      );
    },
  });

async function exists(log: EventLog, stream: string): Promise<boolean> {
  for await (const _event of log.readStream(stream, { limit: 1 })) return true;
  return false;
}

function isStreamName(text: string): boolean {
  try {
    return parseStream(text).id !== '';
  } catch {
    return false;
  }
}
