import type { EvolutionPlan } from '@workledger/shared/contexts/evolution/evolution/events.ts';
import type { Metrics } from '@workledger/shared/contexts/values.ts';

export type Yardstick = Pick<EvolutionPlan, 'metric' | 'direction'> & {
  /** What the start measures; undefined: it tells no such metric. */
  readonly start: number | undefined;
};

/** Of a program that fails its tests, or cannot be measured. */
export const FAILED = 0;

/**
 * One number for OpenEvolve, which only knows that more is better: 1 is as good as the start, 2 is better by the start's whole value;
 * whatever is worse lies between 0 and 1, and only what failed has 0.
 */
export function scoreOf({ metric, direction, start }: Yardstick, metrics: Metrics): number {
  const value = metrics[metric];
  if (value === undefined) return FAILED;
  const from = start ?? 0;
  const gain = direction === 'minimize' ? from - value : value - from;
  const share = gain / (Math.abs(from) || 1);
  return share >= 0 ? 1 + share : 1 / (1 - share);
}
