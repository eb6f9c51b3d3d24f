import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino';
import { maskText, hidden, isSecretName } from './mask.ts';
import { harmlessJson } from './one-line.ts';
import { standardOutput } from './output.ts';
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
    hooks: { streamWrite: (line: string) => harmlessJson(maskText(line)) },
  };
  return pino(settings, destination ?? standardOutput());
}

const MAX_DEPTH = 6;
const MAX_ITEMS = 50;

/**
 * A copy of a value that is fit for a log line: fields with the name of a secret are hidden, errors become name, message, code,
 * stack and cause (never their other fields: drivers put row values there), deep or long values are cut.
 */
function printable(value: unknown, depth = 0): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return value;
  if (depth >= MAX_DEPTH) return '[deep]';
  if (value instanceof Error) return printableError(value, depth);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => printable(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, isSecretName(name) ? hidden : printable(field, depth + 1)]),
  );
}

const printableError = (error: Error, depth: number): Record<string, unknown> => ({
  type: error.name,
  message: error.message,
  ...('code' in error ? { code: printable(error.code, depth + 1) } : {}),
  stack: error.stack,
  ...(error.cause === undefined ? {} : { cause: printable(error.cause, depth + 1) }),
  ...(error instanceof AggregateError ? { errors: printable(error.errors, depth + 1) } : {}),
});
