import type { WebhookEvent } from '@workledger/shared/contexts/sync/webhook/events.ts';
import { streamId, streamName } from '@workledger/shared/contexts/stream.ts';
import { upcast } from '@workledger/shared/events/codec.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import type { Pool, PoolClient } from 'pg';
import { noteDeliveries } from './deliveries.ts';

/** The subscriptions' own statements, from the events of their streams: in order, each once, however often they come. */
export async function applyWebhookStream(pool: Pool, log: EventLog, stream: string): Promise<void> {
  const id = streamId(stream);
  const client = await pool.connect();
  try {
    await client.query('begin');
    // Of two processes at it one waits, and finds that all was done.
    await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [stream]);
    const { rows } = await client.query<{ revision: number }>('select revision from sagas.webhooks where id = $1', [
      id,
    ]);
    for await (const recorded of log.readStream(streamName('webhook', id), { from: (rows[0]?.revision ?? -1) + 1 })) {
      await apply(client, id, recorded);
      await client.query('update sagas.webhooks set revision = $2 where id = $1', [id, recorded.revision]);
    }
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}

/** What happened from a position on is read from the log once more: others may have met it before they knew of the subscription. */
const CATCH_UP = `catch_up_after = least(coalesce(catch_up_after, $2::bigint), $2::bigint), catch_up_until = null`;

async function apply(client: PoolClient, id: string, recorded: RecordedEvent): Promise<void> {
  const event = upcast(recorded) as unknown as WebhookEvent;
  const at = String(recorded.position);
  switch (event.type) {
    case 'WebhookCreated': {
      const { url, eventTypes, repositories, reach, secretId, from } = event.data;
      await client.query(CREATE, [id, url, eventTypes, repositories, reach, secretId, from ?? at]);
      return;
    }
    case 'WebhookChanged': {
      const { url, eventTypes, repositories } = event.data;
      await client.query(CHANGE, [
        id,
        at,
        url ?? null,
        eventTypes ?? null,
        repositories !== undefined,
        repositories ?? null,
      ]);
      return;
    }
    case 'WebhookPaused':
    case 'WebhookDisabled':
      await client.query(STOP, [id, at, event.type === 'WebhookPaused' ? 'paused' : 'disabled']);
      return;
    case 'WebhookResumed':
      await client.query(RESUME, [id, event.data.from ?? null]);
      await client.query(AGAIN_AT_ONCE, [id]);
      return;
    case 'WebhookSecretRotated':
      await client.query(ROTATE, [id, event.data.secretId, event.data.oldUntil]);
      return;
    case 'WebhookTestAsked':
      await noteDeliveries(client, [{ webhookId: id, event: recorded }]);
      return;
    case 'WebhookRedeliveryAsked':
      await client.query(REDELIVER, [id, event.data.deliveryId ?? null]);
      return;
    case 'WebhookDeliveryDropped':
      await client.query(DROP, [id, event.data.deliveryId]);
      return;
    case 'WebhookDeleted':
      await client.query(
        `update sagas.webhooks set status = 'deleted', url = '', catch_up_after = null where id = $1`,
        [id],
      );
      await client.query('delete from sagas.webhook_deliveries where webhook_id = $1', [id]);
  }
}

const CREATE = `
  insert into sagas.webhooks (id, revision, status, url, event_types, repositories, reach, secret_id, after_position, catch_up_after)
  values ($1, 0, 'active', $2, $3, $4, $5, $6, $7, $7)
  on conflict do nothing`;

const CHANGE = `
  update sagas.webhooks
  set ${CATCH_UP}, url = coalesce($3, url), event_types = coalesce($4::text[], event_types),
    repositories = case when $5::boolean then $6::text[] else repositories end
  where id = $1`;

const STOP = `update sagas.webhooks set status = $3, until_position = $2 where id = $1`;

const RESUME = `
  update sagas.webhooks
  set status = 'active', after_position = coalesce($2::bigint, after_position), until_position = null,
    catch_up_after = coalesce($2::bigint, least(catch_up_after, until_position)), catch_up_until = null,
    failing_since = null, failures = 0, rest_until = null
  where id = $1`;

/** Tries that were made before a pause do not count after it. */
const AGAIN_AT_ONCE = `
  update sagas.webhook_deliveries set attempts = 0, created_at = clock_timestamp(), next_at = clock_timestamp()
  where webhook_id = $1 and status = 'waiting'`;

const ROTATE = `
  update sagas.webhooks set old_secret_id = secret_id, old_secret_until = $3, secret_id = $2 where id = $1`;

const DROP = `
  update sagas.webhook_deliveries set status = 'dropped' where webhook_id = $1 and id = $2 and status = 'dead'`;

const REDELIVER = `
  update sagas.webhook_deliveries
  set status = 'waiting', attempts = 0, created_at = clock_timestamp(), next_at = clock_timestamp()
  where webhook_id = $1 and (id = $2 or $2 is null and status = 'dead')`;
