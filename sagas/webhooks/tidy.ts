import type { Configuration } from '@workledger/shared/config/schema.ts';
import type { Outages } from '@workledger/shared/resilience/outages/outages.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';
import type { Logger } from '@workledger/shared/telemetry/logger.ts';
import type { Pool } from 'pg';
import { wholeTime } from './schedule.ts';

export type TidyOptions = {
  readonly pool: Pool;
  readonly outages: Outages;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly configuration: Pick<Configuration, 'outgoingWebhooks'>;
};

const EVERY_MILLISECONDS = 15_000;
const AT_ONCE = 5_000;

/** What a subscriber that fails keeps waiting for longer than all tries of one delivery take: its tries never came. */
const GIVE_UP = `
  update sagas.webhook_deliveries d set status = 'dead', next_at = null, last_at = clock_timestamp(),
    last_reason = coalesce(d.last_reason, 'the subscriber failed all the time: it was not tried')
  from sagas.webhooks w
  where w.id = d.webhook_id and w.status = 'active' and w.failing_since < clock_timestamp() - make_interval(secs => $1)
    and d.status = 'waiting' and d.created_at < clock_timestamp() - make_interval(secs => $1)`;

const FORGET = `
  delete from sagas.webhook_deliveries where (webhook_id, event_id) in (
    select webhook_id, event_id from sagas.webhook_deliveries
    where status <> 'waiting' and last_at < clock_timestamp() - make_interval(secs => 86400 * $1::float8)
    limit ${AT_ONCE})`;

const FACTS = `
  select count(*) filter (where status = 'active')::integer as active,
    count(*) filter (where status = 'active' and failing_since is not null)::integer as failing,
    count(*) filter (where status = 'active' and breaker = 'open')::integer as "breakersOpen",
    count(*) filter (where status in ('paused', 'disabled'))::integer as stopped
  from sagas.webhooks where status <> 'deleted'`;

/** How subscriptions are, in numbers: anybody may read them. */
export async function readFacts(pool: Pool): Promise<Readonly<Record<string, unknown>>> {
  const { rows } = await pool.query<Record<string, number>>(FACTS);
  const all = Object.values(rows[0] ?? {}).reduce((sum, one) => sum + one, 0);
  return all === 0 ? {} : { webhooks: rows[0] };
}

/** Gives up what waited too long, forgets what was kept long enough, and counts, until the signal aborts. */
export async function keepTidy(options: TidyOptions, count: () => Promise<void>): Promise<void> {
  const { pool, outages, logger, signal, configuration } = options;
  const { retrySeconds, keepDays } = configuration.outgoingWebhooks;
  while (!signal.aborted) {
    try {
      await outages.watch('postgresql', async () => {
        await pool.query(GIVE_UP, [wholeTime(retrySeconds)]);
        await pool.query(FORGET, [keepDays]);
        await count();
      });
    } catch (error) {
      if (!signal.aborted && !outages.isTold(error))
        logger.warn({ err: error }, 'webhooks could not be tidied: trying again');
    }
    await pause(EVERY_MILLISECONDS, signal);
  }
}
