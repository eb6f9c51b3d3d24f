/** The error as one clear line, without a stack; of an error that gathers others (every address refused) theirs. */
export function oneLine(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(oneLine).join('; ');
  return error instanceof Error ? error.message : String(error);
}
