import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { z } from 'zod';
import type { Authenticate } from '@workledger/shared/http/mount.ts';
import { Problem, problemDocument, toProblem } from '@workledger/shared/http/problem.ts';
import type { Principal } from '@workledger/shared/http/route.ts';
import type { Upgrade } from '@workledger/shared/http/upgrade.ts';
import { READERS } from '../reading/query-route.ts';
import { readLiveCursor, writeLiveCursor } from './cursor.ts';
import type { Frame } from './feed.ts';
import type { SendCommand } from './forward.ts';
import type { Hub } from './hub.ts';
import type { Listener } from './listener.ts';

const PATH = '/api/v1/live';
const name = z.string().min(1).max(200);
const cursor = z.string().regex(/^[A-Za-z0-9_-]{1,200}$/);
const id = z.union([z.string().max(100), z.int()]);

const frame = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('subscribe'), id: id.optional(), feed: name, after: cursor.optional() }),
  z.strictObject({ type: z.literal('unsubscribe'), id: id.optional(), feed: name }),
  z.strictObject({ type: z.literal('ack'), cursor }),
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
type ClientFrame = z.infer<typeof frame>;

/** Bad frames that are answered before the line is closed, and commands of one line at the same time. */
const MOST_FAULTS = 10;
const MOST_COMMANDS = 8;
/** Milliseconds for the last words to one who may not read. */
const LAST_WORDS = 3_000;

/** The live channel as a WebSocket: JSON frames both ways; commands go to command-service under the caller's own key. */
export function createWebSocketUpgrade(hub: Hub, authenticate: Authenticate, send: SendCommand): Upgrade {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: hub.bounds.frameBytes,
    perMessageDeflate: false,
    clientTracking: false,
  });
  return (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    void (async () => {
      try {
        if (request.url?.split('?', 1)[0] !== PATH) throw new Problem('unknown-route', `WebSockets are for ${PATH}`);
        const authorization = request.headers.authorization ?? '';
        const principal = await authenticate(authorization, {
          address: request.socket.remoteAddress ?? '',
          forwardedFor: request.headers['x-forwarded-for'] as string | undefined,
        });
        if (!READERS.includes(principal.role))
          throw new Problem('forbidden', `role ${principal.role} may not do this; it takes ${READERS.join(' or ')}`);
        const listener = await hub.connect(principal, authorization);
        if (socket.destroyed) return hub.leave(listener);
        socket.once('close', () => hub.leave(listener));
        server.handleUpgrade(request, socket, head, (line) => talk(hub, listener, line, send));
      } catch (error) {
        refuse(socket, toProblem(error));
      }
    })();
  };
}

function refuse(socket: Duplex, problem: Problem): void {
  const body = JSON.stringify(problemDocument(problem, { instance: PATH }));
  const headers = { ...problem.headers, 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' };
  const lines = Object.entries({ ...headers, 'Content-Length': Buffer.byteLength(body), Connection: 'close' });
  socket.end(
    `HTTP/1.1 ${problem.status} Refused\r\n${lines.map(([key, value]) => `${key}: ${value}\r\n`).join('')}\r\n${body}`,
  );
}

function talk(hub: Hub, listener: Listener, line: WebSocket, send: SendCommand): void {
  const over = new AbortController();
  let faults = 0;
  let commands = 0;
  let acknowledged: string | null = null;
  line.once('close', () => {
    over.abort();
    hub.leave(listener);
  });
  line.on('error', () => line.terminate());
  const say = (told: object): Promise<void> =>
    new Promise((resolve) =>
      line.readyState === line.OPEN ? line.send(JSON.stringify(told), () => resolve()) : resolve(),
    );
  const complain = (of: ClientFrame['type'] | null, about: { readonly id?: unknown }, problem: Problem): void => {
    void say({ type: 'problem', of, ...about, problem: problemDocument(problem) });
    if (++faults >= MOST_FAULTS) listener.close('too-many-faults');
  };

  async function obey(asked: ClientFrame): Promise<void> {
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
  }

  line.on('message', (bytes, isBinary) => {
    if (!hub.bounds.takes(listener.principal.keyId)) return listener.close('too-many-frames', true);
    const asked = isBinary ? null : readFrame((bytes as Buffer).toString());
    if (asked === null) return complain(null, {}, new Problem('invalid-request', 'use a JSON frame of a known type'));
    obey(asked).catch((error: unknown) => complain(asked.type, idOf(asked), toProblem(error)));
  });

  void (async () => {
    const { actor } = listener.principal satisfies Principal;
    await say({ type: 'hello', actor, cursor: writeLiveCursor(hub.position()), heartbeatMs: hub.heartbeat });
    for (let item = await listener.next(over.signal); item !== null; item = await listener.next(over.signal)) {
      if (item.kind === 'frame' && !(await hub.mayHear(listener))) continue;
      if (item.kind === 'frame') {
        await say(news(item.frame));
        listener.wrote(item.frame.position);
        continue;
      }
      const heard = writeLiveCursor(hub.heard(listener));
      if (item.kind === 'beat') {
        await say({ type: 'alive', cursor: heard });
        continue;
      }
      const { reason } = item;
      const patience = setTimeout(() => line.terminate(), LAST_WORDS);
      line.once('close', () => clearTimeout(patience));
      void say({ type: 'closing', reason, cursor: acknowledged ?? heard });
      return line.close(reason === 'shutdown' ? 1001 : 1008, reason);
    }
  })();
}

const idOf = (asked: ClientFrame): { readonly id?: string | number } =>
  'id' in asked && asked.id !== undefined ? { id: asked.id } : {};

function readFrame(text: string): ClientFrame | null {
  try {
    const parsed = frame.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

function news({ feed, event, position, data }: Frame): object {
  const cursor = position === null ? {} : { cursor: writeLiveCursor(position) };
  return { type: 'event', feed, event, ...cursor, data: JSON.parse(data) as unknown };
}
