import { type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** Takes a connection that asks to become a WebSocket. */
export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/**
 * Hands WebSockets on. Node calls this for whoever wishes for any other protocol, too (`Upgrade: h2c` of some clients): such a wish is
 * not heard, and the request is answered as it is.
 */
export function takeUpgrades(server: Server, upgrade: Upgrade): void {
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (request.headers.upgrade?.toLowerCase() === 'websocket') return upgrade(request, socket, head);
    socket.on('error', () => socket.destroy());
    const length = Number(request.headers['content-length'] ?? 0);
    const isChunked = request.headers['transfer-encoding'] !== undefined;
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(request.socket);
    response.once('finish', () => response.detachSocket(request.socket)).once('finish', () => socket.end());
    if (isChunked) return void response.writeHead(501).end();
    handBody(request, socket, head, length);
    server.emit('request', request, response);
  });
}

/** What the parser has let go of: the body, as many bytes as were told. */
function handBody(request: IncomingMessage, socket: Duplex, head: Buffer, length: number): void {
  let left = length;
  const take = (chunk: Buffer): void => {
    if (left > 0) request.push(chunk.subarray(0, left));
    left -= chunk.byteLength;
    if (left > 0) return;
    socket.off('data', take);
    request.push(null);
  };
  if (left > 0) socket.on('data', take);
  take(head);
}
