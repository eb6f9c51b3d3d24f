const FIRST = 128;
const SMALLEST = 16;
const LARGEST = 8192;
const SMALL_PAGE = 512 * 1024;
const LARGE_PAGE = 1024 * 1024;

/** How many positions the first page spans. */
export const firstWindow = FIRST;

/**
 * How many positions the next page spans, after one of so many characters: wider over what is small or filtered out, narrower
 * over what is large, so that a page in memory stays near a megabyte.
 */
export function nextWindow(current: number, size: number): number {
  if (size > LARGE_PAGE) return Math.max(SMALLEST, Math.floor(current / 2));
  return size < SMALL_PAGE ? Math.min(LARGEST, current * 2) : current;
}
