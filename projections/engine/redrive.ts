import type { Pool } from 'pg';
import { keepRedriving, settleRedrive } from '@workledger/shared/consumption/redrives.ts';
import { placeOf } from '@workledger/shared/consumption/topics.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { readKnown } from '@workledger/shared/event-log/read-known.ts';
import type { Outages } from '@workledger/shared/resilience/outages/outages.ts';
import { isDataError, type Applied } from './apply-batch.ts';
import { foldEvents, prepare, reasonOf, type Continuity, type Prepared } from './fold-events.ts';
import type { EngineLogger } from './handle-batches.ts';
import { LIVE, type Target } from './projection.ts';
import { CATCHING_UP, CATCHING_UP_KEY, type Stretch } from './progress.ts';
import { loadState, saveState } from './state.ts';

export type RedriveOptions = {
  readonly targets: readonly Target[];
  readonly log: Pick<EventLog, 'readStream'>;
  readonly pool: Pool;
  readonly logger: EngineLogger;
  readonly outages?: Outages | undefined;
  readonly signal: AbortSignal;
  readonly onApplied: (applied: Applied) => void;
};

/** Events in one transaction: what a stream of large ones has fits in memory. */
const PAGE = 100;

/**
 * Tries parked streams again as operators ask for it, until the signal aborts. Any number of processes may do so: each step counts only
 * if the progress of the stream's partition is the same before and after, so what a live batch or another one did meanwhile is seen.
 */
export function runRedrives(options: RedriveOptions): Promise<void> {
  const { targets, pool, logger } = options;
  return keepRedriving({
    ...options,
    schema: LIVE,
    attempt: async (asked) => {
      // A read model of a newer program is for one that knows it.
      const target = targets.find(({ projection }) => projection.name === asked.name);
      if (target === undefined) return;
      await redrive(target, asked.stream, options);
      await settleRedrive(pool, LIVE, asked);
    },
    // What waits for an update, or for the log, goes on by itself.
    onFailed: (error, asked) => {
      const facts = asked === null ? {} : { projection: asked.name, stream: asked.stream };
      logger.error({ err: error, ...facts }, 'redrive: trying again');
    },
  });
}

/**
 * Applies to a parked stream what waits in the log, page by page, and lets it go on when there is no more. Where an event fails again it
 * stays parked there; what went well before is kept.
 * @throws FromTheFuture: it stays parked until this program is updated; LogBehind
 */
export async function redrive(target: Target, stream: string, options: RedriveOptions): Promise<void> {
  const { pool, logger, signal, onApplied } = options;
  const unfit = new Map<string, string>();
  let size = PAGE;
  let moved = 0;
  while (!signal.aborted) {
    const step = (database: Database): Promise<Step> =>
      applyNext(database, target, stream, { ...options, size, unfit });
    const outcome = await (moved < OFTEN ? step(pool) : whileNothingMoves(pool, target, stream, step));
    moved = outcome === 'moved' ? moved + 1 : 0;
    if (outcome === 'moved') continue;
    // One by one, so that what fits is kept and the one that does not is known.
    if ('misfit' in outcome) {
      if (size > 1) size = 1;
      else unfit.set(outcome.last, outcome.misfit);
      continue;
    }
    onApplied(outcome);
    if (outcome.isOver && outcome.parked.length === 0)
      logger.info({ projection: target.projection.name, stream }, 'a stream that was parked goes on');
    if (outcome.isOver) return;
  }
  signal.throwIfAborted();
}

/** So often a busy partition may move under a redrive; then it waits for the redrive's next step. */
const OFTEN = 5;
/** Whoever stands still in the middle of a step does not keep the partition for longer. */
const LONGEST_STEP = '5s';

async function whileNothingMoves(
  pool: Pool,
  { progress, projection: { name, version } }: Target,
  stream: string,
  step: (database: Database) => Promise<Step>,
): Promise<Step> {
  const client = await pool.connect();
  let isDone = false;
  try {
    await client.query(`begin; set local idle_in_transaction_session_timeout = '${LONGEST_STEP}'`);
    // In a statement of its own: the next one sees what this one waited for.
    await client.query(
      `select from ${progress} where projection = $1 and version = $2 and topic || '/' || partition in ($3, $4)
       order by topic, partition for update`,
      [name, version, placeOf({ stream }), CATCHING_UP_KEY],
    );
    const outcome = await step(client);
    await client.query(typeof outcome === 'object' && 'misfit' in outcome ? 'rollback' : 'commit');
    isDone = true;
    return outcome;
  } finally {
    // What is closed gives up its lock.
    client.release(!isDone);
  }
}

type Database = Pick<Pool, 'query'>;

/** What was applied; or what the database said of the last event of a page; or that the progress moved: nothing was written. */
type Step = 'moved' | (Applied & { readonly isOver: boolean }) | { readonly misfit: string; readonly last: string };

type StepOptions = Pick<RedriveOptions, 'log'> & { readonly size: number; readonly unfit: ReadonlyMap<string, string> };

async function applyNext(
  database: Database,
  target: Target,
  stream: string,
  { log, size, unfit }: StepOptions,
): Promise<Step> {
  // Before the log: what a live batch drops after this moves it.
  const standing = await standingOf(database, target, stream);
  if (standing === null) throw new Error(`${target.projection.name} has no progress yet where ${stream} is`);
  if (standing.parked === null) return { applied: 0, parked: [], isOver: true };
  // The last one applied comes, too: it must be the log's.
  const known = { from: Math.max(standing.revision, 0), reaches: standing.parked.revision };
  const limit = standing.revision < 0 ? size : size + 1;
  const events = await firstOf(readKnown(log, stream, known), limit);
  const prepared = events.map((event) => {
    const unreadable = unfit.get(event.id);
    return unreadable === undefined ? prepare(target.projection, event) : { event, ids: [], unreadable };
  });
  const isLast = events.length < limit;
  try {
    const applied = await applyPage(database, target, standing, prepared, isLast);
    return applied === 'moved' ? applied : { ...applied, isOver: isLast || applied.parked.length > 0 };
  } catch (error) {
    if (!isDataError(error)) throw error;
    return { misfit: reasonOf(error), last: events.at(-1)!.id };
  }
}

/** How far a stream came, and the progress row that moves with all that comes to it. */
type StreamStanding = Continuity & { readonly stretch: Stretch; readonly seen: string };

type StandingRow = {
  seen: string;
  topic: string;
  partition: number;
  next_offset: string;
  revision: number | null;
  event_id: string | null;
  reason: string | null;
  parked_revision: number;
  parked_event_id: string;
};

async function standingOf(database: Database, target: Target, stream: string): Promise<StreamStanding | null> {
  const { progress, streams, projection } = target;
  const { rows } = await database.query<StandingRow>(
    `select p.xmin::text as seen, p.topic, p.partition, p.next_offset,
       s.revision, s.event_id, s.reason, s.parked_revision, s.parked_event_id
     from ${progress} p
     left join ${streams} s on s.projection = p.projection and s.version = p.version and s.stream = $3
     where p.projection = $1 and p.version = $2 and p.topic || '/' || p.partition in ($4, $5)
     order by p.topic = '${CATCHING_UP.topic}' limit 1`,
    [projection.name, projection.version, stream, placeOf({ stream }), CATCHING_UP_KEY],
  );
  const row = rows[0];
  if (row === undefined) return null;
  const { seen, topic, partition, reason } = row;
  const offset = BigInt(row.next_offset);
  return {
    revision: row.revision ?? -1,
    eventId: row.event_id,
    parked: reason === null ? null : { reason, revision: row.parked_revision, eventId: row.parked_event_id },
    stretch: { topic, partition, from: offset, next: offset },
    seen,
  };
}

/** @param isLast the log has no more: where all went well, the stream goes on @returns 'moved' when nothing was written */
async function applyPage(
  database: Database,
  target: Target,
  { stretch, seen, revision, eventId, parked }: StreamStanding,
  events: readonly Prepared[],
  isLast: boolean,
): Promise<Applied | 'moved'> {
  const { name, version } = target.projection;
  const stream = events[0]!.event.stream;
  const state = await loadState(database, target, stretch, events);
  if (state === null || state.seen !== seen) return 'moved';
  const free: Continuity = { revision, eventId, parked: null };
  const folded = foldEvents(target.projection, events, { streams: new Map([[stream, free]]), rows: state.rows });
  const reached = folded.streams.get(stream) ?? free;
  const kept = isLast || reached.parked !== null ? reached : { ...reached, parked };
  const changed = { streams: new Map([[stream, kept]]), rows: folded.rows, seen };
  if (!(await saveState(database, stretch, [{ target, changed }], 0n))) return 'moved';
  return { applied: folded.applied, parked: folded.parked.map((mark) => ({ projection: name, version, ...mark })) };
}

async function firstOf(events: AsyncIterable<RecordedEvent>, limit: number): Promise<RecordedEvent[]> {
  const first: RecordedEvent[] = [];
  for await (const event of events) if (first.push(event) === limit) break;
  return first;
}
