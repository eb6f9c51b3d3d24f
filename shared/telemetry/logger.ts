import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino';
import { maskText } from './mask.ts';
import { standardOutput } from './output.ts';
import { printable } from './printable.ts';
import { currentContext } from './request-context.ts';

export type Logger = PinoLogger;
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/**
 * A logger of JSON lines. Every line carries correlationId, traceparent and actor of the context it is written in. Secrets are
 * hidden twice: by the name of the field, and in the finished line by their look.
 * @param destination default: standard output
 */
export function createLogger(
  options: { readonly service: string; readonly level?: LogLevel },
  destination?: DestinationStream,
): Logger {
  const settings = {
    level: options.level ?? 'info',
    base: { service: options.service },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    mixin: () => ({ ...currentContext() }),
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (fields: Record<string, unknown>) => printable(fields) as Record<string, unknown>,
    },
    hooks: { streamWrite: maskText },
  };
  return pino(settings, destination ?? standardOutput());
}
