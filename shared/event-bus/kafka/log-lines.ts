import { logLevel, type LogEntry, type logCreator } from 'kafkajs';
import type { Logger } from '../../telemetry/logger.ts';

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
