/** Bytes of one list in a result, as JSON; an event has its limit. */
const LIST_BYTES = 16 * 1_024;
/** Kept for the line that tells how many are missing. */
const LAST_BYTES = 64;

/** The first paths, as many as fit an event, and how many more there are. */
export function shortened(paths: readonly string[]): readonly string[] {
  const bytesOf = (path: string): number => Buffer.byteLength(JSON.stringify(path)) + 1;
  if (paths.reduce((sum, path) => sum + bytesOf(path), 0) <= LIST_BYTES) return paths;
  const kept: string[] = [];
  let bytes = LAST_BYTES;
  for (const path of paths) {
    bytes += bytesOf(path);
    if (bytes > LIST_BYTES) break;
    kept.push(path);
  }
  return [...kept, `… and ${paths.length - kept.length} more`];
}
