import type { EvolutionPlan } from '@workledger/shared/contexts/evolution/evolution/events.ts';
import type { Metrics } from '@workledger/shared/contexts/values.ts';

/** The deciding metric of two commits that were measured side by side. */
export type Comparison = {
  /** Median of the start; null: a measurement told no such metric, then nothing is improved. */
  readonly start: number | null;
  readonly winner: number | null;
  /** The larger distance between the lowest and the highest value of one of them. */
  readonly spread: number;
  readonly improved: boolean;
};

/**
 * An improvement counts when the medians differ by more than the spread, in the plan's direction: by more than one and the same
 * commit differs from itself.
 */
export function comparisonOf(
  { metric, direction }: Pick<EvolutionPlan, 'metric' | 'direction'>,
  series: { readonly start: readonly Metrics[]; readonly winner: readonly Metrics[] },
): Comparison {
  const [start, winner] = [series.start, series.winner].map((measured) => valuesOf(measured, metric));
  const spread = Math.max(rangeOf(start ?? []), rangeOf(winner ?? []));
  const middle = { start: medianOf(start ?? []), winner: medianOf(winner ?? []) };
  if (middle.start === null || middle.winner === null) return { ...middle, spread, improved: false };
  const gain = direction === 'minimize' ? middle.start - middle.winner : middle.winner - middle.start;
  return { ...middle, spread, improved: gain > spread };
}

/** None where one is missing. */
function valuesOf(measured: readonly Metrics[], metric: string): number[] {
  const values = measured.flatMap((metrics) => metrics[metric] ?? []);
  return values.length === measured.length ? values : [];
}

const rangeOf = (values: readonly number[]): number =>
  values.length === 0 ? 0 : Math.max(...values) - Math.min(...values);

function medianOf(values: readonly number[]): number | null {
  const ordered = values.toSorted((a, b) => a - b);
  const [low, high] = [ordered[(ordered.length - 1) >> 1], ordered[ordered.length >> 1]];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}
