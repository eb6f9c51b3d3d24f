/** Joins consistency tokens (`<stream>@<revision>`, comma-separated); of each stream the newest one stays. */
export function newestTokens(tokens: readonly string[]): string {
  const newest = new Map<string, number>();
  for (const token of tokens.flatMap((list) => list.split(',')).filter((part) => part !== '')) {
    const at = token.lastIndexOf('@');
    const stream = token.slice(0, at).trim();
    newest.set(stream, Math.max(newest.get(stream) ?? -1, Number(token.slice(at + 1))));
  }
  return [...newest].map(([stream, revision]) => `${stream}@${revision}`).join(',');
}
