import type { Level } from '../estimates/effort.ts';

export type Priced = { readonly inputUsd: number; readonly outputUsd: number };

/** Tokens of one try where nobody says how many. */
const INPUT: Readonly<Record<Level, number>> = { low: 2_000, medium: 8_000, high: 24_000 };
const OUTPUT: Readonly<Record<Level, number>> = { low: 1_000, medium: 4_000, high: 16_000 };
const MILLION = 1_000_000;
/** Recorded costs that are believed as much as the price list. */
const DOUBT = 3;

export type Asked = {
  readonly level: Level;
  /** Tokens; null: nobody says. */
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
};

/** US dollars that a try is expected to take: by the price list, moved by what tries of its like took. */
export function expectedUsd(
  { inputUsd, outputUsd }: Priced,
  { level, inputTokens, outputTokens }: Asked,
  known: { readonly tries: number; readonly totalUsd: number },
): number {
  const listed = ((inputTokens ?? INPUT[level]) * inputUsd + (outputTokens ?? OUTPUT[level]) * outputUsd) / MILLION;
  return (DOUBT * listed + known.totalUsd) / (DOUBT + known.tries);
}
