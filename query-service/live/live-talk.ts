import { z } from 'zod';
import { Problem } from '@workledger/shared/http/problem.ts';
import { idOf, type Language } from './converse.ts';
import { readLiveCursor, writeLiveCursor } from './cursor.ts';
import type { Frame } from './feed.ts';
import type { SendCommand } from './forward.ts';
import type { Hub } from './hub.ts';
import type { Listener } from './listener.ts';

const name = z.string().min(1).max(200);
const cursor = z.string().regex(/^[A-Za-z0-9_-]{1,200}$/);
const id = z.union([z.string().max(100), z.int()]);

const frame = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('subscribe'), id: id.optional(), feed: name, after: cursor.optional() }),
  z.strictObject({ type: z.literal('unsubscribe'), id: id.optional(), feed: name }),
  z.strictObject({ type: z.literal('ack'), id: z.undefined().optional(), cursor }),
  z.strictObject({
    type: z.literal('command'),
    id,
    method: z.enum(['POST', 'PUT', 'PATCH', 'DELETE']),
    path: z.string().regex(/^\/api\/v1(?!\/(?:service|webhooks|live)(?:\/|$))(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$/),
    body: z.unknown().optional(),
    headers: z
      .strictObject({ 'idempotency-key': z.string().max(255), 'if-match': z.string().max(40) })
      .partial()
      .default({}),
  }),
]);

/** Commands of one line at the same time. */
const MOST_COMMANDS = 8;

/** The live channel: feeds, and commands that go to command-service under the caller's own key. */
export function liveTalk(hub: Hub, listener: Listener, send: SendCommand): Language<z.infer<typeof frame>> {
  let commands = 0;
  let acknowledged: string | null = null;
  return {
    frame,
    acknowledged: () => acknowledged,
    news: (told, say) => say(news(told)),
    obey: async (asked, say) => {
      switch (asked.type) {
        case 'subscribe': {
          const after = asked.after === undefined ? null : readLiveCursor(asked.after);
          const from = await hub.subscribe(listener, [asked.feed], after);
          await say({ type: 'subscribed', ...idOf(asked), feed: asked.feed, cursor: writeLiveCursor(after ?? from) });
          return;
        }
        case 'unsubscribe':
          hub.unsubscribe(listener, asked.feed);
          await say({ type: 'unsubscribed', ...idOf(asked), feed: asked.feed });
          return;
        case 'ack':
          readLiveCursor(asked.cursor);
          acknowledged = asked.cursor;
          return;
        case 'command': {
          if (commands >= MOST_COMMANDS) throw new Problem('unavailable', 'wait for the answers of earlier commands');
          commands++;
          try {
            const { method, path, body, headers } = asked;
            const request = { method, path, headers, body, authorization: listener.authorization };
            await say({ type: 'answer', id: asked.id, ...(await send(request)) });
          } finally {
            commands--;
          }
        }
      }
    },
  };
}

function news({ feed, event, position, data }: Frame): object {
  const cursor = position === null ? {} : { cursor: writeLiveCursor(position) };
  return { type: 'event', feed, event, ...cursor, data: JSON.parse(data) as unknown };
}
