import type { Pool } from 'pg';
import { MOST_HANDINGS } from '../contexts/agent/dispatch/events.ts';
import { selectRows } from './select-rows.ts';

export type WaitingFor = {
  readonly actor: string;
  readonly teams: readonly string[];
  /** Only of these; null: of any repository, or none. */
  readonly repositories: readonly string[] | null;
  readonly limit: number;
};

export type WaitingDelivery = {
  readonly deliveryId: string;
  readonly dispatchId: string;
  readonly correlationId: string;
};

/** In the words of the indexes. */
const OPEN = `(state = 'pending' or visible_at is not null)`;

const WAITING = `
select id as "deliveryId", dispatch_id as "dispatchId", correlation_id as "correlationId"
from read_models.dispatch_deliveries
where target = any ($1::text[]) and ${OPEN} and ($2::text[] is null or repository = any ($2))
  and (visible_at is null or visible_at <= clock_timestamp()) and expires_at > clock_timestamp() and handings < ${MOST_HANDINGS}
  and (guarantee <> 'effectively-once' or state = 'pending' or held_by = $3)
order by dispatched_at, id limit $4`;

/** What may be handed to whoever asks, the oldest first. A hint that may be behind: the log decides. */
export const waitingDeliveries = (
  pool: Pool,
  { actor, teams, repositories, limit }: WaitingFor,
): Promise<WaitingDelivery[]> =>
  selectRows(pool, WAITING, [[actor, ...teams.map((team) => `team:${team}`)], repositories, actor, limit]);

const DUE = `
select dispatch_id as id from (
  (select dispatch_id from read_models.dispatch_deliveries
   where ${OPEN} and expires_at <= clock_timestamp() order by expires_at limit $1)
  union
  (select dispatch_id from read_models.dispatch_deliveries
   where visible_at <= clock_timestamp() and handings >= ${MOST_HANDINGS} order by visible_at limit $1)
) as due limit $1`;

/** Dispatches of which something is to be given up: it has expired, or was handed over as often as may be. A hint. */
export const dueDispatches = async (pool: Pool, limit = 100): Promise<string[]> =>
  (await selectRows<{ readonly id: string }>(pool, DUE, [limit])).map(({ id }) => id);
