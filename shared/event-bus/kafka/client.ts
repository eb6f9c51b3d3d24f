import { connect, type Socket } from 'node:net';
import { Kafka, logLevel } from 'kafkajs';
import type { Logger } from '../../telemetry/logger.ts';
import { createLogLines } from './log-lines.ts';
import { CONNECTION_TIMEOUT, REQUEST_TIMEOUT, RETRY } from './timing.ts';

export type Client = {
  readonly kafka: Kafka;
  /** Cuts it off for good: whatever it still tries fails, so nothing that was given up is done later after all. */
  kill(): void;
};

export type ClientOptions = {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly logger: Logger;
};

/** A client of kafkajs, with sockets in our hands: it knows no way to stop trying. */
export function createClient({ brokers, clientId, logger }: ClientOptions): Client {
  const sockets = new Set<Socket>();
  let dead = false;
  const kafka = new Kafka({
    brokers: [...brokers],
    clientId,
    connectionTimeout: CONNECTION_TIMEOUT,
    requestTimeout: REQUEST_TIMEOUT,
    retry: RETRY,
    logLevel: logLevel.WARN,
    logCreator: createLogLines(logger),
    socketFactory: ({ host, port, onConnect }) => {
      const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 10_000 }, onConnect);
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      if (dead) socket.destroy(new Error('this client was given up'));
      return socket;
    },
  });
  return {
    kafka,
    kill: () => {
      dead = true;
      for (const socket of sockets) socket.destroy();
    },
  };
}
