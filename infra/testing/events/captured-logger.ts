import { createLogger, type Logger, type LogLevel } from '@workledger/shared/telemetry/logger.ts';

/** A real logger that keeps its lines. */
export function captureLog(level: LogLevel = 'debug'): {
  logger: Logger;
  lines: () => Record<string, unknown>[];
  text: () => string;
} {
  const written: string[] = [];
  const logger = createLogger({ service: 'test', level }, { write: (line) => void written.push(line) });
  return {
    logger,
    lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>),
    text: () => written.join(''),
  };
}
