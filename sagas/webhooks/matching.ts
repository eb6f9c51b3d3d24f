import type { Reach } from '@workledger/shared/contexts/sync/webhook/events.ts';
import { streamType } from '@workledger/shared/contexts/stream.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { isWithinReach, stands } from '@workledger/shared/events/subscribing.ts';
import type { Pool } from 'pg';
import type { Due } from './deliveries.ts';
import type { RepositoryOf } from './repository.ts';

/** What of a subscription decides which events it gets. */
export type Subscription = {
  readonly id: string;
  readonly eventTypes: readonly string[];
  readonly repositories: readonly string[] | null;
  readonly reach: Reach;
  /** Positions between which it is sent to; null: from then on. */
  readonly after: bigint;
  readonly until: bigint | null;
};

type Row = Omit<Subscription, 'after' | 'until'> & { readonly after: string; readonly until: string | null };

/** Every subscription that did not end. */
export async function readSubscriptions(pool: Pool): Promise<readonly Subscription[]> {
  const { rows } = await pool.query<Row>(`
    select id, event_types as "eventTypes", repositories, reach, after_position as after, until_position as until
    from sagas.webhooks where status <> 'deleted'`);
  return rows.map((row) => ({
    ...row,
    after: BigInt(row.after),
    until: row.until === null ? null : BigInt(row.until),
  }));
}

/** What of these events goes to which subscription. A test goes to its own, and to nobody by a pattern. */
export async function whatIsDue(
  subscriptions: readonly Subscription[],
  events: readonly RecordedEvent[],
  repositoryOf: RepositoryOf,
): Promise<readonly Due[]> {
  const due: Due[] = [];
  for (const event of events)
    for (const subscription of subscriptions)
      if (isAskedFor(subscription, event) && (await isWithin(subscription, event, repositoryOf)))
        due.push({ webhookId: subscription.id, event });
  return due;
}

function isAskedFor({ eventTypes, reach, after, until }: Subscription, event: RecordedEvent): boolean {
  const { stream, type, position } = event;
  if (position <= after || (until !== null && position >= until)) return false;
  if (type === 'WebhookTestAsked' || !isWithinReach(reach, streamType(stream))) return false;
  return eventTypes.some((pattern) => stands(pattern, streamType(stream), type));
}

async function isWithin(
  { repositories }: Subscription,
  { stream }: RecordedEvent,
  repositoryOf: RepositoryOf,
): Promise<boolean> {
  if (repositories === null) return true;
  const repository = await repositoryOf(stream);
  return repository !== null && repositories.includes(repository);
}
