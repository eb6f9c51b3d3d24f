import { CommandRefused } from '@workledger/shared/commands/refusal.ts';
import { NoAnswer } from '@workledger/shared/commands/no-answer.ts';
import { InvalidAppend, RevisionConflict } from '@workledger/shared/event-log/errors.ts';
import { oneLine } from '@workledger/shared/service/fail.ts';
import type { Logger } from '@workledger/shared/telemetry/logger.ts';

/** What the sagas work with, by the names that their operator reads. */
export type Server = 'postgresql' | 'event-log' | 'event-bus' | 'command-service';

/** Says once that a server is away and once that it is back, however many loops meet it how often. */
export type Outages = {
  /** Does it and takes note of how the server is; throws what the action throws. */
  watch<Result>(server: Server, action: () => Promise<Result>): Promise<Result>;
  /** Takes note of an error that somebody else met; false when it is no sign of an outage. */
  notice(server: Server, error: unknown): boolean;
  /** Whether the error was told as an outage: nobody needs to tell it again. */
  isTold(error: unknown): boolean;
};

export function createOutages(logger: Pick<Logger, 'info' | 'warn'>): Outages {
  const away = new Set<Server>();
  const told = new WeakSet<object>();

  function notice(server: Server, error: unknown): boolean {
    if (!(error instanceof Error) || isAnswer[server](error)) return false;
    told.add(error);
    // The client of a distant command-service tells by itself.
    if (away.has(server) || error instanceof NoAnswer) return true;
    away.add(server);
    logger.warn({ dependency: server, reason: oneLine(error) }, `${server} is away: sagas wait for it`);
    return true;
  }

  return {
    notice,
    isTold: (error) => error instanceof Error && told.has(error),
    watch: async (server, action) => {
      try {
        const result = await action();
        if (away.delete(server)) logger.info({ dependency: server }, `${server} is back`);
        return result;
      } catch (error) {
        notice(server, error);
        throw error;
      }
    },
  };
}

/** Errors by which a server that is there says no. */
const isAnswer: Readonly<Record<Server, (error: Error) => boolean>> = {
  postgresql: (error) => 'code' in error && typeof error.code === 'string' && isPostgresAnswer(error.code),
  'event-log': (error) => error instanceof RevisionConflict || error instanceof InvalidAppend,
  'event-bus': () => false,
  'command-service': (error) => error instanceof CommandRefused,
};

/** Five characters are an SQLSTATE; 08: connection, 53: no room for one more, 57: shutdown and its like. */
const isPostgresAnswer = (code: string): boolean => /^[0-9A-Z]{5}$/.test(code) && !/^(08|53|57|EPIPE)/.test(code);
