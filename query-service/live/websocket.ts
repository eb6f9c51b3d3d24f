import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import type { Authenticate } from '@workledger/shared/http/mount.ts';
import { Problem, problemDocument, toProblem } from '@workledger/shared/http/problem.ts';
import type { Upgrade } from '@workledger/shared/http/upgrade.ts';
import { READERS } from '../reading/query-route.ts';
import { converse } from './converse.ts';
import type { SendCommand } from './forward.ts';
import type { Hub } from './hub.ts';
import type { Listener } from './listener.ts';
import { liveTalk } from './live-talk.ts';
import { SYNC, syncTalk } from './sync-talk.ts';

const LIVE = '/api/v1/live';

type Talk = (listener: Listener, line: WebSocket) => void;

/** Takes WebSockets: the live channel, and documents that are kept in step. Both speak JSON frames over the same hub. */
export function createWebSocketUpgrade(
  { hub, log }: { readonly hub: Hub; readonly log: EventLog },
  authenticate: Authenticate,
  send: SendCommand,
): Upgrade {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: hub.bounds.frameBytes,
    perMessageDeflate: false,
    clientTracking: false,
  });
  const talks: Readonly<Record<string, Talk>> = {
    [LIVE]: (listener, line) => converse(hub, listener, line, liveTalk(hub, listener, send)),
    [SYNC]: (listener, line) => converse(hub, listener, line, syncTalk({ hub, log, listener, send })),
  };
  return (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    const path = request.url?.split('?', 1)[0] ?? '';
    void (async () => {
      try {
        const talk = Object.hasOwn(talks, path) ? talks[path] : undefined;
        if (talk === undefined)
          throw new Problem('unknown-route', `WebSockets are for ${Object.keys(talks).join(' and ')}`);
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
        server.handleUpgrade(request, socket, head, (line) => talk(listener, line));
      } catch (error) {
        refuse(socket, toProblem(error), path);
      }
    })();
  };
}

function refuse(socket: Duplex, problem: Problem, path: string): void {
  const body = JSON.stringify(problemDocument(problem, { instance: path }));
  const headers = { ...problem.headers, 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' };
  const lines = Object.entries({ ...headers, 'Content-Length': Buffer.byteLength(body), Connection: 'close' });
  socket.end(
    `HTTP/1.1 ${problem.status} Refused\r\n${lines.map(([key, value]) => `${key}: ${value}\r\n`).join('')}\r\n${body}`,
  );
}
