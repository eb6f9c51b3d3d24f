/** The error as one clear line, without a stack. */
export const oneLine = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Ends the program with the error's own words and exit code 1. */
export function fail(error: unknown): never {
  process.stderr.write(`${oneLine(error)}\n`);
  process.exit(1);
}
