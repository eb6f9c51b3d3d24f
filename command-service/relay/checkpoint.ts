import type { Pool } from 'pg';
import { checkLog, mend, type KnownLog, type LogOwner } from '@workledger/shared/consumption/log-identity.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { WrongLog } from '@workledger/shared/event-log/first-event-id.ts';
import type { Outage } from '@workledger/shared/resilience/outages/outages.ts';
import { keepTrying } from '@workledger/shared/resilience/keep-trying.ts';
import { withDeadline } from '@workledger/shared/resilience/with-deadline.ts';
import { createWakeUps } from '@workledger/shared/resilience/wake-ups.ts';
import type { Lease } from './lease.ts';

export type CheckpointKeeper = {
  /**
   * Everything up to here was acknowledged. Written behind the caller's back: the next batch need not wait.
   * @param last the last event among it; null: there was none since the position before
   */
  note(position: bigint, last: LastEvent | null): void;
  /** Resolves when the last one noted is written, or refused, or the database did not take it. */
  stop(): Promise<void>;
};

export type KeepCheckpointOptions = {
  readonly pool: Pool;
  readonly lease: Lease;
  readonly leaseMilliseconds: number;
  readonly start: bigint;
  readonly database: Outage;
};

/** Writes the latest position noted, one statement at a time. A refusal ends the term. */
export function keepCheckpoint(options: KeepCheckpointOptions): CheckpointKeeper {
  const { pool, lease, leaseMilliseconds, database } = options;
  const stopping = new AbortController();
  const noted = createWakeUps();
  let latest = options.start;
  let written = options.start;
  let lastEvent: LastEvent | null = null;

  const write = async (position: bigint): Promise<void> => {
    const moving = moveCheckpoint(pool, lease.epoch, position, lastEvent);
    const isMine = await withDeadline(moving, leaseMilliseconds / 2, 'moving the checkpoint');
    database.worked(null);
    if (isMine) written = position;
    else lease.lose();
  };

  const keepWriting = async (): Promise<void> => {
    const over = AbortSignal.any([stopping.signal, lease.lost]);
    const onFailed = (error: unknown): void => database.failed(null, error);
    while (!over.aborted) {
      if (latest === written) await noted.next(null, over);
      else await keepTrying(() => write(latest), { signal: over, shortest: 50, longest: 1_000, onFailed });
    }
    if (latest !== written && !lease.lost.aborted) await write(latest).catch(onFailed);
  };
  const writing = keepWriting();

  return {
    note: (position, last) => {
      latest = position;
      lastEvent = last ?? lastEvent;
      noted.wake();
    },
    stop: async () => {
      stopping.abort();
      await writing;
    },
  };
}

/**
 * Everything up to this position has been published. Never moves back.
 * @param last the last event that was; null: the one that is known stays
 * @returns false when another epoch has begun: nothing was changed
 */
export async function moveCheckpoint(
  pool: Pool,
  epoch: bigint,
  position: bigint,
  last: LastEvent | null = null,
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `update relay.leader set checkpoint = greatest(checkpoint, $2),
       last_event = case when checkpoint <= $2 and $3::jsonb is not null then $3 else last_event end
     where epoch = $1`,
    [epoch, position, last && JSON.stringify({ ...last, position: String(last.position) })],
  );
  return rowCount === 1;
}

/** By which a log is known that was restored, and has grown past the checkpoint with other events. */
export type LastEvent = Pick<RecordedEvent, 'id' | 'stream' | 'revision' | 'position'>;

/** The last event that was published; null where a checkpoint is older than this knowledge: the next batch brings it. */
export async function lastPublished(pool: Pool): Promise<LastEvent | null> {
  const { rows } = await pool.query<{ last: (Omit<LastEvent, 'position'> & { position: string }) | null }>(
    'select last_event as last from relay.leader',
  );
  const last = rows[0]?.last ?? null;
  return last && { ...last, position: BigInt(last.position) };
}

/** @throws WrongLog when the log does not have it, where it was */
export async function demandLastEvent(log: Pick<EventLog, 'readStream'>, last: LastEvent): Promise<void> {
  for await (const { id, position } of log.readStream(last.stream, { from: last.revision, limit: 1 }))
    if (id === last.id && position === last.position) return;
  const owner = { meanwhile: 'Nothing is sent' };
  throw new WrongLog(
    `the relay's checkpoint (table relay.leader) is about a log in which event ${last.id} stands at position ${last.position}, as revision ` +
      `${last.revision} of ${last.stream}; in this one it does not: it was restored, and other events came instead. ${mend(owner)}`,
  );
}

/** Id of its first event, and position of its last. */
export type LogFacts = { readonly first: string | null; readonly head: bigint };

/**
 * Whether the checkpoint is about this log; the log's first event is kept beside it.
 * @returns false while the log has no event by which to know it again
 * @throws WrongLog
 */
export async function isCheckpointsLog(
  pool: Pool,
  { first, head }: LogFacts,
  epoch: bigint,
  checkpoint: bigint,
): Promise<boolean> {
  const known: KnownLog = async (id) => {
    const { rows } = await pool.query<{ first: string | null }>(
      `update relay.leader set first_event_id = coalesce(first_event_id, $2) where epoch = $1
       returning first_event_id as first`,
      [epoch, checkpoint <= head ? id : null],
    );
    return rows[0]?.first ?? null;
  };
  const what = `the relay's checkpoint ${checkpoint} (table relay.leader)`;
  const owner: LogOwner = { belongs: `${what} belongs`, meanwhile: 'Nothing is sent' };
  const isKnown = await checkLog(owner, known, first);
  if (checkpoint > head)
    throw new WrongLog(
      `${what} is beyond the head ${head} of the event log: events that were published are gone from it. ${mend(owner)}`,
    );
  return isKnown;
}

/** Ids of the topics that the checkpoint is about. */
export async function checkpointsTopics(pool: Pool): Promise<ReadonlyMap<string, string>> {
  const { rows } = await pool.query<{ topic: string; id: string }>('select topic, id from relay.topics');
  return new Map(rows.map(({ topic, id }) => [topic, id]));
}

/**
 * Takes these for the topics that the checkpoint is about.
 * @param anew they hold nothing yet: the checkpoint goes back to the start of the log, so that they get all of it again
 * @returns false when another epoch has begun: nothing was changed
 */
export async function takeTopics(
  pool: Pool,
  epoch: bigint,
  topicIds: ReadonlyMap<string, string>,
  anew: boolean,
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `with mine as (
       update relay.leader set checkpoint = case when $4 then 0 else checkpoint end where epoch = $1 returning 1
     ),
     known as (
       insert into relay.topics (topic, id) select g.* from mine, unnest($2::text[], $3::text[]) as g (topic, id)
       on conflict (topic) do update set id = excluded.id
     )
     select from mine`,
    [epoch, [...topicIds.keys()], [...topicIds.values()], anew],
  );
  return rowCount === 1;
}
