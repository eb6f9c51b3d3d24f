import { z } from 'zod';
import { streamTypes } from '@workledger/shared/events/catalogue.ts';
import { route, type Route } from '@workledger/shared/http/route.ts';
import { eventAnswer, NDJSON, acceptHeader, format, limit, replyEvents, take } from './reply.ts';
import { pageOf } from '../reading/page.ts';
import { type QueryOptions, several, AUDITORS } from '../reading/query-route.ts';

const MAX_POSITION = 2n ** 63n - 1n;

const position = z
  .string()
  .regex(/^\d{1,19}$/, 'a position as an event has it')
  .transform((text) => (BigInt(text) < MAX_POSITION ? BigInt(text) : MAX_POSITION));

const streamType = z.enum(streamTypes.map(({ type }) => type));
const eventType = z.enum(streamTypes.flatMap(({ events }) => Object.keys(events)));

/** GET /events */
export const listEvents = ({ log }: QueryOptions): Route =>
  route({
    method: 'get',
    path: '/api/v1/events',
    role: AUDITORS,
    summary: 'Any range of the log, as it was written',
    query: z.strictObject({
      after: position.optional().describe('exclusive; default: from the start'),
      until: position.optional().describe('inclusive; default: the head at the time of the request'),
      types: several(eventType).optional().describe('only events of these types'),
      streams: several(streamType).optional().describe('only events of streams of these types'),
      limit,
      format,
    }),
    headers: acceptHeader,
    answers: {
      200: {
        description: `A page of events (\`next\`: go on with after=…), or with Accept: ${NDJSON} one event a line.`,
        schema: pageOf(eventAnswer),
        lines: NDJSON,
      },
    },
    handler: ({ query: { after, until, types, streams, ...asked }, headers, signal }) =>
      replyEvents(
        (most) =>
          take(
            log.readAll({
              signal,
              ...(after !== undefined && { after }),
              ...(until !== undefined && { until }),
              ...(types !== undefined && { types }),
              ...(streams !== undefined && { streams }),
            }),
            most,
          ),
        { ...asked, accept: headers.accept },
        (last) => String(last.position),
      ),
  });
