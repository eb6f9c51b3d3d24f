/** Adds costs in US dollars; null is "nobody told", which adds nothing. */
export const addCost = (sum: number | null, cost: number | null): number | null =>
  cost === null ? sum : (sum ?? 0) + cost;
