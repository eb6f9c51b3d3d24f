type Arrived = { readonly id: string; readonly stream: string; readonly revision: number };

/**
 * What a consumer keeps that drops repeats by revision: ids by stream. A gap is an error: nothing that comes later mends it.
 */
export function firstArrivals(arrivals: readonly Arrived[]): Map<string, string[]> {
  const kept = new Map<string, string[]>();
  for (const { id, stream, revision } of arrivals) {
    const ids = kept.get(stream) ?? [];
    if (revision > ids.length) throw new Error(`${stream}: revision ${revision} came after ${ids.length - 1}`);
    if (revision === ids.length) ids.push(id);
    else if (ids[revision] !== id) throw new Error(`${stream}: revision ${revision} came as another event`);
    kept.set(stream, ids);
  }
  return kept;
}
