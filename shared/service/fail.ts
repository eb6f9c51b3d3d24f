import { oneLine } from '../telemetry/one-line.ts';

/** Ends the program with the error's own words and exit code 1. */
export function fail(error: unknown): never {
  process.stderr.write(`${oneLine(error)}\n`);
  process.exit(1);
}
