import type { Logger } from '../../telemetry/logger.ts';

/** Says once that no answers come, again when the reason is another one, and once that they come again. */
export function createAvailability(logger: Pick<Logger, 'warn' | 'info'> | undefined): {
  away(error: Error): void;
  back(): void;
} {
  let reason: string | null = null;
  return {
    away: ({ message }) => {
      if (reason !== message) logger?.warn(`commands wait: ${message}`);
      reason = message;
    },
    back: () => {
      if (reason !== null) logger?.info('command-service answers commands again');
      reason = null;
    },
  };
}
