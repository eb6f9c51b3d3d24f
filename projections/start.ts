import type { SqlSchema } from '@workledger/shared/migrations/migrate.ts';
import { createProblems, runLoops, type Foundation, type RunningService } from '@workledger/shared/service/service.ts';
import { runReadModels } from './all.ts';
import { readModels } from './migrations.ts';

export const migrations: readonly SqlSchema[] = [readModels];

type ReadModelFoundation = Pick<Foundation, 'log' | 'bus' | 'pool' | 'wakeUps' | 'logger' | 'outages'>;

/** Starts all projections. */
export function start({ wakeUps, ...foundation }: ReadModelFoundation): RunningService {
  const { tell, facts } = createProblems();
  const onWaiting = (where: string, reason: string | null): void => tell(where, reason && `${where}: ${reason}`);
  const onProblem = (told: string | null): void => tell('the log', told);
  const told = { onApplied: wakeUps.wake, onWaiting, onProblem };
  return {
    facts,
    ...runLoops((signal) => [runReadModels({ ...foundation, ...told, signal })]),
  };
}
