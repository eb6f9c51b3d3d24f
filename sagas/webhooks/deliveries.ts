import { derivedId } from '@workledger/shared/contexts/stream.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import type { Pool, PoolClient } from 'pg';

/** An event that is to be sent to a subscription. */
export type Due = {
  readonly webhookId: string;
  readonly event: Pick<RecordedEvent, 'id' | 'stream' | 'revision' | 'position' | 'type'>;
};

/** The `webhook-id`: the same for an event and a subscription, however often it is sent. */
export const deliveryIdOf = (webhookId: string, eventId: string): string =>
  derivedId('webhook-delivery', webhookId, eventId);

/** Notes what is to be sent. What was noted before stays as it is. @returns how many are new */
export async function noteDeliveries(client: Pool | PoolClient, due: readonly Due[]): Promise<number> {
  if (due.length === 0) return 0;
  const { rowCount } = await client.query(NOTE, [
    due.map(({ webhookId }) => webhookId),
    due.map(({ event }) => event.id),
    due.map(({ webhookId, event }) => deliveryIdOf(webhookId, event.id)),
    due.map(({ event }) => event.stream),
    due.map(({ event }) => event.revision),
    due.map(({ event }) => String(event.position)),
    due.map(({ event }) => event.type),
  ]);
  return rowCount ?? 0;
}

// A subscription that ended meanwhile gets nothing more.
const NOTE = `
  insert into sagas.webhook_deliveries (webhook_id, event_id, id, stream, revision, position, type)
  select n.* from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::bigint[], $7::text[])
    as n (webhook_id, event_id, id, stream, revision, position, type)
  join sagas.webhooks w on w.id = n.webhook_id and w.status <> 'deleted'
  on conflict do nothing`;

/** One that is being tried: nobody else tries it before its lease ends. */
export type Claimed = {
  readonly webhookId: string;
  readonly eventId: string;
  readonly id: string;
  readonly stream: string;
  readonly revision: number;
  /** This one counted. */
  readonly attempts: number;
  readonly url: string;
  readonly secretIds: readonly string[];
};

/** Takes what is due of each subscription, the longest due first. @param busy subscriptions that have enough in hand */
export async function claimDue(
  pool: Pool,
  {
    busy,
    each,
    leaseSeconds,
  }: { readonly busy: readonly string[]; readonly each: number; readonly leaseSeconds: number },
): Promise<readonly Claimed[]> {
  return (await pool.query<Claimed>(CLAIM, [busy, each, leaseSeconds])).rows;
}

const CLAIM = `
  with due as materialized (
    select d.webhook_id, d.event_id, w.url,
      case when w.old_secret_until > clock_timestamp() then array[w.secret_id, w.old_secret_id] else array[w.secret_id] end as secret_ids
    from sagas.webhooks w
    cross join lateral (
      select webhook_id, event_id from sagas.webhook_deliveries
      where webhook_id = w.id and status = 'waiting' and next_at <= clock_timestamp()
      order by next_at, position limit $2
      for update skip locked
    ) d
    where w.status = 'active' and w.id <> all ($1::text[]) and (w.rest_until is null or w.rest_until <= clock_timestamp())
  )
  update sagas.webhook_deliveries d
  set attempts = d.attempts + 1, next_at = clock_timestamp() + make_interval(secs => $3)
  from due where d.webhook_id = due.webhook_id and d.event_id = due.event_id
  returning d.webhook_id as "webhookId", d.event_id as "eventId", d.id, d.stream, d.revision, d.attempts, due.url,
    due.secret_ids as "secretIds"`;

/** @param seconds until the next try; null: it was the last one @param gone it wants nothing more */
export type Failed = {
  readonly kind: 'failed';
  readonly status: number | null;
  readonly reason: string;
  readonly seconds: number | null;
  readonly gone?: true;
};

/** What came of a try. */
export type Outcome =
  | { readonly kind: 'delivered'; readonly status: number }
  | Failed
  /** It was no try: nothing of this subscription is tried before. */
  | { readonly kind: 'postponed'; readonly status: number | null; readonly reason: string; readonly seconds: number }
  /** This process ends. */
  | { readonly kind: 'given-back' };

/** Notes what came of a try, at the delivery and at its subscription, in one statement. @returns milliseconds that the subscription has failed */
export async function settle(
  pool: Pool,
  { webhookId, eventId, attempts }: Pick<Claimed, 'webhookId' | 'eventId' | 'attempts'>,
  outcome: Outcome,
  breaker: string,
): Promise<number> {
  const key = [webhookId, eventId, attempts];
  switch (outcome.kind) {
    case 'given-back':
      await pool.query(GIVE_BACK, key);
      return 0;
    case 'delivered':
      await pool.query(DELIVERED, [...key, outcome.status, breaker]);
      return 0;
    case 'failed':
    case 'postponed': {
      const isTry = outcome.kind === 'failed';
      const values = [...key, outcome.status, outcome.reason, outcome.seconds, isTry, breaker];
      const { rows } = await pool.query<{ failing: number }>(FAILED, values);
      return rows[0]?.failing ?? 0;
    }
  }
}

// Whoever took it over after the lease has counted on: what comes too late changes nothing.
const OWN = `webhook_id = $1 and event_id = $2 and attempts = $3 and status = 'waiting'`;

const GIVE_BACK = `
  update sagas.webhook_deliveries set attempts = attempts - 1, next_at = clock_timestamp() where ${OWN}`;

const DELIVERED = `
  with told as (
    update sagas.webhooks
    set failing_since = null, failures = 0, rest_until = null, last_at = clock_timestamp(), last_status = $4, last_reason = null, breaker = $5
    where id = $1
  )
  update sagas.webhook_deliveries
  set status = 'delivered', next_at = null, last_at = clock_timestamp(), last_status = $4, last_reason = null
  where ${OWN}`;

const FAILED = `
  with delivery as (
    update sagas.webhook_deliveries
    set status = case when $6::float8 is null then 'dead' else 'waiting' end,
      next_at = clock_timestamp() + make_interval(secs => $6::float8),
      attempts = case when $7::boolean then attempts else attempts - 1 end,
      last_at = clock_timestamp(), last_status = $4, last_reason = $5
    where ${OWN}
  )
  update sagas.webhooks
  set failing_since = coalesce(failing_since, clock_timestamp()), failures = failures + case when $7::boolean then 1 else 0 end,
    rest_until = case when $7::boolean then rest_until else clock_timestamp() + make_interval(secs => $6::float8) end,
    last_at = clock_timestamp(), last_status = $4, last_reason = $5, breaker = $8
  where id = $1
  returning (1000 * extract(epoch from clock_timestamp() - failing_since))::float8 as failing`;
