import { addressFault } from '@workledger/shared/config/outgoing-webhooks.ts';
import type { Configuration } from '@workledger/shared/config/schema.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { encodeCloudEvent } from '@workledger/shared/events/published/cloud-event.ts';
import { webhookSecretsOf, webhookSignature } from '@workledger/shared/security/webhook-secrets.ts';
import type { Pool } from 'pg';
import { NotAllowed, LimitReached, TargetAway } from '@workledger/shared/outbound/failures.ts';
import type { Outbound } from '@workledger/shared/outbound/outbound.ts';
import { Postponed } from '../engine/component.ts';
import type { Claimed, Failed, Outcome } from './deliveries.ts';
import { nextTry } from './schedule.ts';

export type SendingOptions = {
  readonly pool: Pool;
  readonly log: EventLog;
  readonly configuration: Pick<Configuration, 'outbound' | 'outgoingWebhooks'>;
};

/** As long as an open breaker rests. */
const REST_SECONDS = 30;
/** An end of a limit that is further away is not believed. */
const LONGEST_LIMIT_SECONDS = 86_400;
const GONE = 410;

/** The event as it is published, in the words of its own version. */
async function bodyOf(log: EventLog, { stream, revision, eventId }: Claimed): Promise<string | null> {
  for await (const event of log.readStream(stream, { from: revision, limit: 1 }))
    if (event.id === eventId) return encodeCloudEvent(event).toString('utf8');
  return null;
}

/** Sends one delivery, once. @returns what came of it; throws what the log and PostgreSQL throw */
export async function sendOnce(
  claimed: Claimed,
  outbound: Outbound,
  options: SendingOptions,
  signal: AbortSignal,
): Promise<Outcome> {
  const { pool, log, configuration } = options;
  const { retrySeconds } = configuration.outgoingWebhooks;
  const failed = (reason: string, status: number | null = null): Failed => ({
    ...{ kind: 'failed', status, reason },
    seconds: nextTry(claimed.attempts, retrySeconds),
  });
  const fault = addressFault(configuration, claimed.url);
  if (fault !== null) return failed(fault);
  const body = await bodyOf(log, claimed);
  const secrets = await webhookSecretsOf(pool, claimed.webhookId, claimed.secretIds);
  // It was met before: a log that does not give it is behind.
  if (body === null) throw new Error(`the log does not give revision ${claimed.revision} of ${claimed.stream}`);
  if (secrets.length === 0) return failed('there is no secret to sign with: rotate it');
  const timestamp = Math.floor(Date.now() / 1_000);
  const headers = {
    'webhook-id': claimed.id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': webhookSignature(secrets, { id: claimed.id, timestamp, body }),
  };
  try {
    const { pathname, search } = new URL(claimed.url);
    const asked = { method: 'POST', path: `${pathname}${search}`, headers, text: body, signal } as const;
    const { status } = await outbound.send(asked);
    if (status >= 200 && status < 300) return { kind: 'delivered', status };
    if (status === GONE) return { ...failed('it answers 410: it is gone', status), seconds: null, gone: true };
    return failed(
      `it answers ${status}${status >= 300 && status < 400 ? ', and redirects are not followed' : ''}`,
      status,
    );
  } catch (error) {
    if (signal.aborted) return { kind: 'given-back' };
    return outcomeOf(error, failed, outbound);
  }
}

function outcomeOf(
  error: unknown,
  failed: (reason: string, status?: number | null) => Outcome,
  outbound: Outbound,
): Outcome {
  const untilLimit = (until: Date): number =>
    Math.min(LONGEST_LIMIT_SECONDS, Math.max(1, (until.getTime() - Date.now()) / 1_000));
  const postponed = (reason: string, seconds: number, status: number | null = null): Outcome => ({
    ...{ kind: 'postponed', status, reason, seconds },
  });
  if (error instanceof LimitReached) return postponed(error.message, untilLimit(error.until), 429);
  if (error instanceof Postponed) return postponed('it failed 5 times and rests', REST_SECONDS);
  if (error instanceof NotAllowed) return failed(error.message);
  if (error instanceof TargetAway) {
    const status = Number(/it answers (\d{3})$/.exec(error.message)?.[1] ?? Number.NaN);
    const { limitedUntil } = outbound.state();
    const told = Number.isNaN(status) ? null : status;
    // 503 with a time: it is there, and says when.
    if (limitedUntil !== null && told === 503)
      return postponed(error.message, untilLimit(new Date(limitedUntil)), told);
    return failed(error.message, told);
  }
  throw error;
}
