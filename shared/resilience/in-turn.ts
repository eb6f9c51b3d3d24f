/**
 * Runs work of one key one after the other, work of different keys side by side. Callers of one hot stream in one process
 * would otherwise only conflict with one another.
 */
export function createTurns(): <Result>(key: string, work: () => Promise<Result>) => Promise<Result> {
  const last = new Map<string, Promise<unknown>>();
  return async (key, work) => {
    const before = last.get(key);
    const mine = before === undefined ? work() : before.then(work, work);
    last.set(key, mine);
    try {
      return await mine;
    } finally {
      if (last.get(key) === mine) last.delete(key);
    }
  };
}

/** Does the same with each of many, `most` of them at a time; answers in their order. */
export async function sideBySide<Item, Result>(
  items: readonly Item[],
  most: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let first = 0; first < items.length; first += most)
    results.push(...(await Promise.all(items.slice(first, first + most).map(work))));
  return results;
}
