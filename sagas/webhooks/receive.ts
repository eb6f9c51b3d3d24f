import type { Context } from '@workledger/shared/contexts/define-events.ts';
import { streamType } from '@workledger/shared/contexts/stream.ts';
import { consume, type ConsumptionOptions } from '@workledger/shared/consumption/consume.ts';
import { createProgress } from '@workledger/shared/consumption/progress.ts';
import { streamTypesOf } from '@workledger/shared/events/catalogue.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import type { Pool } from 'pg';
import { noteDeliveries } from './deliveries.ts';
import type { Looks } from './looks.ts';
import { readSubscriptions, whatIsDue } from './matching.ts';
import type { RepositoryOf } from './repository.ts';
import { applyWebhookStream } from './subscriptions.ts';

export type ReceivingOptions = ConsumptionOptions & {
  readonly pool: Pool;
  readonly repositoryOf: RepositoryOf;
  readonly looks: Looks;
};

const GROUP = 'webhooks';
/** All but those of sagas, which nobody outside gets. */
const TOPICS: readonly Context[] = ['task', 'evolution', 'agent', 'sync'];

/** Notes of every event to whom it is to be sent, until the signal aborts: what was noted is sent, whoever dies. */
export const receiveEvents = (options: ReceivingOptions): Promise<void> =>
  consume(options, {
    group: GROUP,
    topics: TOPICS,
    progress: createProgress(options.pool, 'sagas', GROUP),
    receive: (events) => receive(events, options),
  });

async function receive(events: readonly RecordedEvent[], options: ReceivingOptions): Promise<void> {
  const { pool, log, outages, looks } = options;
  const own = new Set(events.filter(({ stream }) => streamType(stream) === 'webhook').map(({ stream }) => stream));
  for (const stream of own) await outages.watch('postgresql', () => applyWebhookStream(pool, log, stream));
  const subscriptions = await outages.watch('postgresql', () => readSubscriptions(pool));
  looks.saw(subscriptions.length > 0);
  if (own.size > 0) looks.changed.wake();
  if (subscriptions.length === 0) return;
  const due = await whatIsDue(subscriptions, events, options.repositoryOf);
  await outages.watch('postgresql', () => noteDeliveries(pool, due));
  if (due.length > 0 || own.size > 0) looks.due.wake();
}

const EVENTS_AT_ONCE = 500;
/** So many may wait before more is read from the log for a subscription. */
const MOST_WAITING = 2_000;

/**
 * Reads from the log what a subscription is to get of what was there before this process knew of it, until the signal aborts. Up to the
 * head as it is once the subscription is known: what comes after that is met with the subscription at hand.
 */
export async function keepCatchingUp(options: ReceivingOptions): Promise<void> {
  const { pool, outages, logger, signal, looks } = options;
  while (!signal.aborted) {
    const seen = looks.changed.count();
    let more = false;
    try {
      const { rows } = await outages.watch('postgresql', () => pool.query<Behind>(BEHIND, [MOST_WAITING]));
      for (const behind of rows) if (!signal.aborted && (await catchUpOnce(behind, options))) more = true;
    } catch (error) {
      if (!signal.aborted && !outages.isTold(error))
        logger.error({ err: error }, 'webhooks cannot read what was there before: trying again');
    }
    if (!more) await looks.changed.next(looks.longest(), signal, seen);
  }
}

type Behind = { readonly id: string; readonly after: string; readonly until: string | null };

const BEHIND = `
  select id, catch_up_after as after, catch_up_until as until from sagas.webhooks w
  where status = 'active' and catch_up_after is not null and $1 > (
    select count(*) from (
      select from sagas.webhook_deliveries d where d.webhook_id = w.id and d.status = 'waiting' limit $1
    ) waiting)`;

/** @returns whether there is more */
async function catchUpOnce({ id, after, until }: Behind, options: ReceivingOptions): Promise<boolean> {
  const { pool, log, outages, signal, looks } = options;
  // The subscription as it is before the head is asked for.
  const all = await outages.watch('postgresql', () => readSubscriptions(pool));
  const subscription = all.find((each) => each.id === id);
  if (subscription === undefined) return false;
  const end = until ?? String(await outages.watch('event-log', () => log.head()));
  const { events, next } = await page(log, BigInt(after), BigInt(end), signal);
  const due = await whatIsDue([subscription], events, options.repositoryOf);
  await outages.watch('postgresql', () => noteDeliveries(pool, due));
  const { rowCount } = await outages.watch('postgresql', () => pool.query(MOVE, [id, after, until, next, end]));
  if (due.length > 0) looks.due.wake();
  return next !== null || rowCount === 0;
}

// A change meanwhile has it read from there once more.
const MOVE = `
  update sagas.webhooks
  set catch_up_after = $4::bigint, catch_up_until = case when $4::bigint is not null then $5::bigint end
  where id = $1 and catch_up_after = $2 and catch_up_until is not distinct from $3`;

/** @returns next: where to go on; null: that was all */
async function page(
  log: ReceivingOptions['log'],
  after: bigint,
  until: bigint,
  signal: AbortSignal,
): Promise<{ readonly events: readonly RecordedEvent[]; readonly next: string | null }> {
  const events: RecordedEvent[] = [];
  if (until <= after) return { events, next: null };
  const range = { ...(after > 0n && { after }), until, streams: TOPICS.flatMap(streamTypesOf), signal };
  for await (const event of log.readAll(range)) {
    events.push(event);
    if (events.length === EVENTS_AT_ONCE) return { events, next: String(event.position) };
  }
  signal.throwIfAborted();
  return { events, next: null };
}
