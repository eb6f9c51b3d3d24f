import { connect } from 'node:net';

const CORRELATION_ID = 7;

/**
 * Whether a broker at 127.0.0.1 answers a question of Kafka's protocol and counts itself among the living: an open port comes
 * earlier than that.
 * Source: https://kafka.apache.org/protocol#The_Messages_Metadata
 */
export function brokerAnswers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    let received = Buffer.alloc(0);
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(2_000, () => end(false));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
    socket.once('connect', () => socket.write(metadataRequest()));
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes]);
      // Size, correlation id, number of brokers.
      if (received.length >= 12) end(received.readInt32BE(4) === CORRELATION_ID && received.readInt32BE(8) > 0);
    });
  });
}

/** Metadata, version 1, of no topic. */
function metadataRequest(): Buffer {
  const request = Buffer.alloc(18);
  request.writeInt32BE(14, 0); // size of what follows
  request.writeInt16BE(3, 4); // Metadata
  request.writeInt16BE(1, 6); // version
  request.writeInt32BE(CORRELATION_ID, 8);
  request.writeInt16BE(-1, 12); // client id: null
  request.writeInt32BE(0, 14); // topics: none
  return request;
}
