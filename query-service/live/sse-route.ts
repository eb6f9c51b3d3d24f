import { z } from 'zod';
import { route, type Route } from '@workledger/shared/http/route.ts';
import { known } from '../api/inbox.ts';
import { READERS } from '../reading/query-route.ts';
import { readLiveCursor, writeLiveCursor } from './cursor.ts';
import { feedForms, feedPattern, type Feed, type Frame } from './feed.ts';
import type { Hub } from './hub.ts';
import type { Item, Listener } from './listener.ts';

const cursor = z.string().regex(/^[A-Za-z0-9_-]{1,200}$/, 'a cursor as this channel gave it');
const MEDIA_TYPE = 'text/event-stream';

/** GET /live as Server-Sent Events. The same path takes WebSockets. */
export const sseRoute = (hub: Hub, feeds: readonly Feed[]): Route =>
  route({
    method: 'get',
    path: '/api/v1/live',
    role: READERS,
    scoped: true,
    summary: 'What happens, as it happens (Server-Sent Events, or a WebSocket)',
    description:
      'Feeds: `inbox` and `questions` (yours), `topic:<topic>`, `task:<id>`. Each event carries a cursor as its id: with the header Last-Event-ID, or ' +
      '`after`, one goes on from there, in another process and after a restart, too. Who reads too slowly is dropped with an event `closing`.',
    query: z.strictObject({
      feeds: z
        .string()
        .regex(namesOf(feeds), `use ${feedForms(feeds)}, with commas between`)
        .describe('feeds, with commas between'),
      after: cursor.optional().describe('the same as the header Last-Event-ID'),
    }),
    headers: z.object({ 'last-event-id': cursor.optional(), authorization: z.string().max(1_000).default('') }),
    answers: { 200: { description: 'Events, until one of both sides ends it.', mediaType: MEDIA_TYPE } },
    problems: ['not-found', 'out-of-range', 'unknown-cursor', 'too-many-connections', 'unavailable'],
    handler: ({ principal, query, headers, signal }) => {
      const given = headers['last-event-id'] ?? query.after;
      const after = given === undefined ? null : readLiveCursor(given);
      const caller = { principal: known(principal), authorization: headers.authorization };
      return {
        stream: events(hub, caller, query.feeds.split(','), after, signal),
        mediaType: MEDIA_TYPE,
        // A proxy that gathers what it hands on would hold the news back.
        headers: { 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' },
      };
    },
  });

/** At most as many as a line may have at all: which are too many is for the limits to say. */
function namesOf(feeds: readonly Feed[]): RegExp {
  const one = `(?:${feedPattern(feeds)})`;
  return new RegExp(`^${one}(?:,${one}){0,99}$`);
}

async function* events(
  hub: Hub,
  { principal, authorization }: Pick<Listener, 'principal' | 'authorization'>,
  feeds: readonly string[],
  after: bigint | null,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const listener = await hub.connect(principal, authorization);
  try {
    const from = await hub.subscribe(listener, feeds, after);
    const id = writeLiveCursor(after ?? from);
    yield `id: ${id}\nevent: hello\ndata: ${JSON.stringify({ feeds, cursor: id })}\n\n`;
    for (let item = await listener.next(signal); item !== null; item = await listener.next(signal)) {
      if (item.kind === 'frame' && !(await hub.mayHear(listener))) continue;
      if (item.kind === 'frame') {
        yield news(item.frame);
        listener.wrote(item.frame.position);
        continue;
      }
      yield sign(item, writeLiveCursor(hub.heard(listener)));
      if (item.kind === 'closing') return;
    }
  } finally {
    hub.leave(listener);
  }
}

/** @param heard the cursor of what came before */
const sign = (item: Exclude<Item, { kind: 'frame' }>, heard: string): string =>
  item.kind === 'beat'
    ? `: alive\nid: ${heard}\n\n`
    : `id: ${heard}\nevent: closing\ndata: ${JSON.stringify({ reason: item.reason, cursor: heard })}\n\n`;

function news({ feed, event, position, data }: Frame): string {
  const id = position === null ? '' : `id: ${writeLiveCursor(position)}\n`;
  return `${id}event: ${event}\ndata: {"feed":${JSON.stringify(feed)},"data":${data}}\n\n`;
}
