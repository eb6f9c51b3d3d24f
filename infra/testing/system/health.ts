/** What /health of a service says of each of its dependencies; nothing where it does not answer. */
export async function healthAt(url: string | undefined): Promise<Readonly<Record<string, string>>> {
  if (url === undefined) return {};
  const answer = await fetch(new URL('/health', url), { signal: AbortSignal.timeout(10_000) }).catch(() => null);
  return answer === null ? {} : ((await answer.json()) as { dependencies: Record<string, string> }).dependencies;
}
