import type { Pool } from 'pg';
import { z } from 'zod';
import { selectRows } from './select-rows.ts';

const MOST_COUNTED = 10_000;
const time = z.iso.datetime();
const last = {
  lastAt: time.nullable().describe('of the last try'),
  lastStatus: z.int().nullable().describe('what it answered; null: nothing'),
  lastReason: z.string().nullable().describe('why it failed'),
};

/** What became of an event that is sent to a subscription. */
export const webhookDelivery = z.strictObject({
  id: z.uuid().describe('the `webhook-id` of every try'),
  eventId: z.uuid(),
  type: z.string().describe("the event's"),
  stream: z.string(),
  revision: z.int(),
  position: z.string(),
  status: z
    .enum(['waiting', 'delivered', 'dead', 'dropped'])
    .describe(
      '`dead`: given up, until a redelivery is asked for; `dropped`: that, and somebody said that it need not be sent',
    ),
  attempts: z.int(),
  nextAt: time.nullable().describe('not tried before'),
  ...last,
});
export type WebhookDelivery = z.infer<typeof webhookDelivery>;

/** How sending to a subscription goes. */
export const webhookSending = z.strictObject({
  breaker: z.enum(['closed', 'open', 'half-open']).describe('as it was at the last try'),
  failingSince: time.nullable().describe('null: the last try succeeded'),
  failures: z.int().describe('tries that failed since then'),
  restsUntil: time.nullable().describe('nothing is sent before'),
  catchingUp: z.boolean().describe('what was there before is still being read'),
  waiting: z.int().describe(`deliveries that wait; at most ${MOST_COUNTED}`),
  dead: z.int().describe(`deliveries that were given up; at most ${MOST_COUNTED}`),
  ...last,
});
export type WebhookSending = z.infer<typeof webhookSending>;

const iso = (column: string): string => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
const LAST = `${iso('last_at')} as "lastAt", last_status as "lastStatus", last_reason as "lastReason"`;
const counted = (status: string): string =>
  `(select count(*)::integer from (
    select from sagas.webhook_deliveries d where d.webhook_id = w.id and d.status = '${status}' limit ${MOST_COUNTED}
  ) counted)`;

const SENDING = `
  select breaker, ${iso('failing_since')} as "failingSince", failures,
    case when rest_until > clock_timestamp() then ${iso('rest_until')} end as "restsUntil",
    catch_up_after is not null as "catchingUp", ${counted('waiting')} as waiting, ${counted('dead')} as dead, ${LAST}
  from sagas.webhooks w where id = $1`;

const LIST = `
  select id, event_id as "eventId", type, stream, revision, position::text as position, status, attempts,
    case status when 'waiting' then ${iso('next_at')} end as "nextAt", ${LAST}
  from sagas.webhook_deliveries
  where webhook_id = $1 and ($2::text[] is null or status = any ($2)) and ($3::bigint is null or (position, id) < ($3, $4))
  order by position desc, id desc limit $5`;

/** Null: nothing was sent yet by whoever sends. */
export async function readWebhookSending(pool: Pool, webhookId: string): Promise<WebhookSending | null> {
  if (!(await isThere(pool))) return null;
  return (await selectRows<WebhookSending>(pool, SENDING, [webhookId]))[0] ?? null;
}

export type DeliveriesAsked = {
  readonly webhookId: string;
  readonly status: readonly string[] | null;
  /** The last one of the page before; null: from the newest. */
  readonly after: { readonly position: string; readonly id: string } | null;
  readonly limit: number;
};

/** The newest events first. */
export async function listWebhookDeliveries(
  pool: Pool,
  { webhookId, status, after, limit }: DeliveriesAsked,
): Promise<WebhookDelivery[]> {
  if (!(await isThere(pool))) return [];
  return selectRows<WebhookDelivery>(pool, LIST, [
    webhookId,
    status,
    after?.position ?? null,
    after?.id ?? null,
    limit,
  ]);
}

/** Sagas make the tables, and may not have been here yet. */
async function isThere(pool: Pool): Promise<boolean> {
  const { rows } = await pool.query<{ is: boolean }>(
    `select to_regclass('sagas.webhook_deliveries') is not null as is`,
  );
  return rows[0]?.is === true;
}
