import { createLogger } from '@workledger/shared/telemetry/logger.ts';
import { outputWritten } from '@workledger/shared/telemetry/output.ts';

/** Logs so many lines, waits for a line of its standard input before the last of them, and ends. */
const logger = createLogger({ service: 'test' });
const lines = Number(process.argv[2]);
for (let number = 1; number < lines; number++) logger.info({ number }, 'line');
process.stdin.once('data', () => void end());

async function end(): Promise<void> {
  for (let number = 0; number < 50; number++) logger.info({ number }, 'a last line');
  await outputWritten();
  process.exit(7);
}
