import type { SqlSchema } from '@workledger/shared/migrations/migrate.ts';
import { runLoops, type Foundation, type RunningService } from '@workledger/shared/service/service.ts';
import { runReadModels } from './all.ts';
import { readModels } from './migrations.ts';

export const migrations: readonly SqlSchema[] = [readModels];

type ReadModelFoundation = Pick<Foundation, 'log' | 'bus' | 'pool' | 'wakeUps' | 'logger' | 'outages'>;

/** Starts all projections. */
export function start({ wakeUps, ...foundation }: ReadModelFoundation): RunningService {
  let problem: string | null = null;
  const onProblem = (told: string | null): void => void (problem = told);
  return {
    facts: () => (problem === null ? {} : { problem }),
    ...runLoops((signal) => [runReadModels({ ...foundation, onApplied: wakeUps.wake, onProblem, signal })]),
  };
}
