import type { SqlSchema } from '@workledger/shared/migrations/migrate.ts';
import { runLoops, type Foundation, type RunningService } from '@workledger/shared/service/service.ts';
import { runReadModels } from './all.ts';
import { readModels } from './migrations.ts';

export const migrations: readonly SqlSchema[] = [readModels];

type ReadModelFoundation = Pick<Foundation, 'log' | 'bus' | 'pool' | 'wakeUps' | 'logger' | 'outages'>;

/** Starts all projections. */
export function start({ wakeUps, ...foundation }: ReadModelFoundation): RunningService {
  const problems = new Map<string, string>();
  const note = (where: string, told: string | null): void =>
    void (told === null ? problems.delete(where) : problems.set(where, told));
  const onWaiting = (where: string, reason: string | null): void => note(where, reason && `${where}: ${reason}`);
  const onProblem = (told: string | null): void => note('the log', told);
  const told = { onApplied: wakeUps.wake, onWaiting, onProblem };
  return {
    facts: () => (problems.size === 0 ? {} : { problem: [...problems.values()].join('; ') }),
    ...runLoops((signal) => [runReadModels({ ...foundation, ...told, signal })]),
  };
}
