/** How a task came out. */
export type Result = {
  /** What its work changed; null: nothing is known of that. */
  readonly change: { readonly files: number; readonly lines: number } | null;
  /** How often its work was sent back. */
  readonly sentBack: number;
  /** What its evolution tried; null: it had none. */
  readonly evolution: { readonly candidates: number; readonly failed: number; readonly improved: boolean } | null;
  readonly succeeded: boolean;
};

export const levels = ['low', 'medium', 'high'] as const;
export type Level = (typeof levels)[number];

/** From this score on. */
const MEDIUM_FROM = 35;
const HIGH_FROM = 65;

export const levelOfScore = (score: number): Level =>
  score < MEDIUM_FROM ? 'low' : score < HIGH_FROM ? 'medium' : 'high';

/** A change of one line in one file, and one of thirty files and two thousand lines: powers of two. */
const SMALLEST = 2.5;
const LARGEST = 11;
const FILE_AS_LINES = 5;
const SENT_BACK = 12;
const MOST_SENT_BACK = 3;
/** Nothing that was tried measured better than the start. */
const NOT_IMPROVED = 8;
/** Where every candidate failed; of some, their share of it. */
const CANDIDATES_FAILED = 12;
/** What nobody could do was hard, however little of it was tried. */
const FAILED = 75;

/**
 * How hard a finished task was, 0 to 100: the size of its change (twice as large is a step more), and a good deal more for each time it
 * was sent back, and for what evolution tried in vain; null where nothing tells.
 */
export function effortOf({ change, sentBack, evolution, succeeded }: Result): number | null {
  if (change === null && succeeded) return null;
  const lines = change === null ? 0 : change.lines + FILE_AS_LINES * change.files;
  const size = (100 * (Math.log2(1 + lines) - SMALLEST)) / (LARGEST - SMALLEST);
  const hard = Math.max(0, size) + SENT_BACK * Math.min(MOST_SENT_BACK, sentBack) + inVain(evolution);
  return Math.min(100, succeeded ? hard : Math.max(FAILED, hard));
}

function inVain(evolution: Result['evolution']): number {
  if (evolution === null || evolution.candidates === 0) return 0;
  const { candidates, failed, improved } = evolution;
  return (improved ? 0 : NOT_IMPROVED) + (CANDIDATES_FAILED * failed) / candidates;
}
