/** The error as one clear line, without a stack; of an error that gathers others (every address refused) theirs. */
export function oneLine(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(oneLine).join('; ');
  return error instanceof Error ? error.message : String(error);
}

/** Ends the program with the error's own words and exit code 1. */
export function fail(error: unknown): never {
  process.stderr.write(`${oneLine(error)}\n`);
  process.exit(1);
}
