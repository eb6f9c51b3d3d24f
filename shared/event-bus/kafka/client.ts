import type { Socket } from 'node:net';
import { Kafka, logLevel, type LogEntry, type logCreator, type SASLOptions } from 'kafkajs';
import type { KafkaAccess } from '../../config/server-access.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { OPEN, openSocket } from './open-socket.ts';
import './rest-when-idle.ts';
import { CONNECTION_TIMEOUT, REQUEST_TIMEOUT, RETRY } from './timing.ts';

export type Client = {
  readonly kafka: Kafka;
  /** Cuts it off for good: whatever it still tries fails, so nothing that was given up is done later after all. */
  kill(): void;
};

export type ClientOptions = {
  readonly brokers: readonly string[];
  readonly access?: KafkaAccess;
  readonly clientId: string;
  readonly logger: Logger;
};

/** A client of kafkajs, with sockets in our hands: it knows no way to stop trying. */
export function createClient({ brokers, access = OPEN, clientId, logger }: ClientOptions): Client {
  const sockets = new Set<Socket>();
  let dead = false;
  const kafka = new Kafka({
    brokers: [...brokers],
    // Without it kafkajs sends a login over an open connection, with a warning.
    ssl: access.tls !== null,
    ...(access.sasl !== null && { sasl: access.sasl as SASLOptions }),
    clientId,
    connectionTimeout: CONNECTION_TIMEOUT,
    requestTimeout: REQUEST_TIMEOUT,
    retry: RETRY,
    logLevel: logLevel.WARN,
    logCreator: createLogLines(logger),
    socketFactory: ({ host, port, onConnect }) => {
      const socket = openSocket({ host, port }, access, onConnect);
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

/**
 * What kafkajs calls an error but is part of its ordinary day: it tries again by itself, and where that does not help, the adapter
 * says so.
 */
const ORDINARY = [
  /coordinator is (loading|not available)|not the coordinator|group coordinator/i,
  /rebalanc|re-joining|not aware of this member|generation|member id/i,
  /topic with this name already exists/i,
  /connect|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|broker|socket|timed out|timeout/i,
  /leader|metadata|does not host this topic-partition/i,
  /^crash|^restarting the consumer|offset out of range/i,
  /limiting retries/i,
  /^SASL|authentication failed/i,
];

/** Turns what kafkajs says into lines of the service's log. An outage is told by the adapter, once, and not at every retry. */
export const createLogLines =
  (logger: Logger): logCreator =>
  () =>
  ({ namespace, level, log }: LogEntry) => {
    const facts = { kafkajs: namespace, detail: detailOf(log) };
    if (level === logLevel.ERROR || level === logLevel.WARN) {
      const ordinary = ORDINARY.some((pattern) => pattern.test(`${log.message} ${facts.detail ?? ''}`));
      if (ordinary) logger.debug(facts, log.message);
      else logger.warn(facts, log.message);
    } else logger.debug(facts, log.message);
  };

function detailOf(log: LogEntry['log']): string | undefined {
  const error: unknown = log['error'];
  if (error instanceof Error) return error.message;
  return typeof error === 'string' ? error : undefined;
}
