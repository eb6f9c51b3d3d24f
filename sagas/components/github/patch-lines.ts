const HUNK = /^@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@/;

/** Lines of the new file that a patch shows: only on these GitHub takes comments. */
export function linesInPatch(patch: string): ReadonlySet<number> {
  const lines = new Set<number>();
  let line = Number.NaN;
  for (const text of patch.split('\n')) {
    const [, start] = HUNK.exec(text) ?? [];
    if (start !== undefined) line = Number(start);
    else if (text.startsWith('+') || text.startsWith(' ')) lines.add(line++);
  }
  return lines;
}
