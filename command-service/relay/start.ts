import type { SqlSchema } from '@workledger/shared/migrations/migrate.ts';
import { runLoops, type Foundation, type RunningService } from '@workledger/shared/service/service.ts';
import { relayMigrations } from './migrations.ts';
import { runRelay, type RelayOptions } from './run-relay.ts';
import type { RelayState } from './state.ts';

export const migrations: readonly SqlSchema[] = [{ name: 'relay', migrations: relayMigrations }];

type RelayFoundation = Pick<Foundation, 'log' | 'pool' | 'logger' | 'outages'> & Pick<RelayOptions, 'bus'>;

/** Starts one relay; of all that run on one database one leads. */
export function start(foundation: RelayFoundation): RunningService {
  let state: RelayState | null = null;
  const onState = (told: RelayState): void => void (state = told);
  return { facts: () => ({ ...state }), ...runLoops((signal) => [runRelay({ ...foundation, signal, onState })]) };
}
