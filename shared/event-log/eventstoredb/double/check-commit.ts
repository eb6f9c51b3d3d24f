/** -1 = the stream does not exist. */
export type Expected = number | 'any' | 'exists';

export type Decision =
  | { readonly kind: 'write' }
  | { readonly kind: 'repeat'; readonly last: number }
  | { readonly kind: 'conflict'; readonly actual: number };

/**
 * Whether an append is new, a repeat, or in the way of another: only ids are compared, from the expected revision on. An append
 * whose expected revision is the current one is always new, even with ids that are there: that writes them twice.
 * @param present ids of the stream's events in order
 * @param ids of the append
 */
export function checkCommit(present: readonly string[], expected: Expected, ids: readonly string[]): Decision {
  const current = present.length - 1;
  if (expected === 'any' || expected === 'exists') {
    if (expected === 'exists' && current < 0) return { kind: 'conflict', actual: current };
    const first = present.lastIndexOf(ids[0] ?? '');
    if (first < 0) return { kind: 'write' };
    return isRepeat(present, first, ids)
      ? { kind: 'repeat', last: first + ids.length - 1 }
      : { kind: 'conflict', actual: current };
  }
  if (expected === current) return { kind: 'write' };
  if (expected < current && isRepeat(present, expected + 1, ids))
    return { kind: 'repeat', last: expected + ids.length };
  return { kind: 'conflict', actual: current };
}

const isRepeat = (present: readonly string[], from: number, ids: readonly string[]): boolean =>
  ids.every((id, index) => present[from + index] === id);
