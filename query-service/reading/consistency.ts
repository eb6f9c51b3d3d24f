import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'pg';
import { z } from 'zod';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { Problem } from '@workledger/shared/http/problem.ts';
import type { ReadModel } from '@workledger/shared/contexts/define-row.ts';
import type { WakeUps } from '@workledger/shared/resilience/wake-ups.ts';
import { parseStream, streamName, streamType } from '@workledger/shared/contexts/stream.ts';
import { selectRows } from '@workledger/shared/read-models/select-rows.ts';

type ConsistencyOptions = {
  readonly pool: Pool;
  /** Without it, nothing is known to be there before the read models have it. */
  readonly log?: EventLog;
  /** Milliseconds that a query may wait; default 5,000. */
  readonly waitMilliseconds?: number;
  /** Waits at the same time: in this process, and under one key; default 2,000 and 200. */
  readonly mostWaits?: { readonly inAll: number; readonly ofOne: number };
  /** Told by projections, in this process or another one; without it a waiting query only looks again and again. */
  readonly wakeUps?: WakeUps;
};

export type Settle = {
  /** Waits until all of the models have what the token names. */
  (
    token: string,
    models: readonly ReadModel<never>[],
    signal: AbortSignal,
    /** Id of the key that asks. */
    waiter: string,
  ): Promise<void>;
  /**
   * The token of a thing that the first of the models may not have seen yet, though the log has it; empty: the log has none. Costs a read
   * of one event for each type of stream.
   */
  created(id: string, models: readonly ReadModel<never>[]): Promise<string>;
};

const FIRST_PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 100;
const LOOK_IN_LOG_AT_MS = 64;
const MOST_WAITS = { inAll: 2_000, ofOne: 200 };

/**
 * Makes the wait behind consistency tokens. A stream type that a model does not follow needs no wait.
 * The wait throws Problem `invalid-request` (a token that cannot be read), `stream-parked` (that stream has stopped: at
 * once), `not-yet-visible` (time out), `unavailable` (too many wait: at once).
 */
export function createSettle(options: ConsistencyOptions): Settle {
  const { pool, log, waitMilliseconds = 5_000, wakeUps, mostWaits = MOST_WAITS } = options;
  const enter = createWaitingRoom(mostWaits);
  const whereStreamsStand = createWhereStreamsStand(pool);
  const created: Settle['created'] = async (id, [model]) => {
    if (log === undefined) return '';
    for (const stream of model?.streams.map((type) => streamName(type, id)) ?? [])
      if (await isInLog(log, { stream, revision: 0 })) return `${stream}@0`;
    return '';
  };
  const settle: (...parameters: Parameters<Settle>) => Promise<void> = async (token, models, signal, waiter) => {
    let missing: readonly Awaited[] = parseToken(token).flatMap(({ stream, type, revision }) =>
      models
        .filter(({ streams }) => revision >= 0 && streams.includes(type))
        .map(({ name, version }) => ({ stream, revision, projection: name, version })),
    );
    const deadline = performance.now() + waitMilliseconds;
    let leave: (() => void) | null = null;
    let isKnown = false;
    try {
      for (let wait = FIRST_PAUSE_MS; missing.length > 0; wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
        missing = await stillMissing(whereStreamsStand, missing);
        if (missing.length === 0) return;
        const left = deadline - performance.now();
        if (left <= 0 || signal.aborted) throw notYetVisible(missing);
        leave ??= enter(waiter);
        // What the log does not have was made up, or is far away: nobody waits for it.
        if (log !== undefined && wait >= LOOK_IN_LOG_AT_MS && !isKnown) {
          const [first] = missing;
          isKnown = first === undefined || (await isInLog(log, first));
          if (!isKnown) throw notYetVisible(missing);
        }
        await (wakeUps === undefined ? pause(Math.min(wait, left)) : wakeUps.next(Math.min(wait, left)));
      }
    } finally {
      leave?.();
    }
  };
  return Object.assign(settle, { created });
}

/** Whether a stream has a revision: one read of one event. */
async function isInLog(log: EventLog, { stream, revision }: Pick<Wanted, 'stream' | 'revision'>): Promise<boolean> {
  for await (const _event of log.readStream(stream, { from: revision, limit: 1 })) return true;
  return false;
}

/** Counts who waits. @param inAll at most @param ofOne at most of one key @returns lets one in, and what lets it out again; throws Problem `unavailable` when it is full */
export function createWaitingRoom({ inAll, ofOne }: { readonly inAll: number; readonly ofOne: number }) {
  const waiting = new Map<string, number>();
  let all = 0;
  return (waiter: string): (() => void) => {
    const own = waiting.get(waiter) ?? 0;
    if (all >= inAll || own >= ofOne)
      throw new Problem('unavailable', 'too many requests wait for what they have written: ask again', {
        headers: { 'Retry-After': '1' },
      });
    all += 1;
    waiting.set(waiter, own + 1);
    return () => {
      all -= 1;
      const left = (waiting.get(waiter) ?? 1) - 1;
      if (left === 0) waiting.delete(waiter);
      else waiting.set(waiter, left);
    };
  };
}

async function stillMissing(whereStreamsStand: WhereStreamsStand, wanted: readonly Awaited[]): Promise<Awaited[]> {
  const standing = await whereStreamsStand(wanted);
  return wanted.filter(({ stream, revision, projection }) => {
    const found = standing.find((row) => row.stream === stream && row.projection === projection);
    if (found !== undefined && found.revision >= revision) return false;
    if (found?.parkedRevision !== null && found?.parkedRevision !== undefined) throw parked(found);
    return true;
  });
}

const parked = ({
  stream,
  projection,
  revision,
  parkedRevision,
}: Awaited & { parkedRevision: number | null }): Problem =>
  new Problem(
    'stream-parked',
    `read model ${projection} has stopped at revision ${parkedRevision} of ${stream}: an operator finds out why by GET /api/v1/parked, ` +
      'and lets it go on by POST /api/v1/parked/redrive',
    { facts: { stream, readModel: projection, applied: revision, parkedAt: parkedRevision } },
  );

const notYetVisible = (missing: readonly Awaited[]): Problem =>
  new Problem('not-yet-visible', 'the read model does not have that revision yet: ask again', {
    facts: {
      missing: missing.map(({ stream, revision, projection }) => ({ stream, revision, readModel: projection })),
    },
    headers: { 'Retry-After': '1' },
  });

/** A revision of a stream that a reader wants to see. Revision -1: nothing. */
type Wanted = { readonly stream: string; readonly type: string; readonly revision: number };

/** Of one token: more than the 8,000 characters have room for that commands give at most. */
const MOST_OF_ONE = 200;
/** As many as there is room for in a parameter and a header, both of the longest. */
const MAX_ENTRIES = 2 * MOST_OF_ONE;
export const STREAM =
  '[a-z][a-z0-9-]{0,62}-[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}';
const ENTRY = `${STREAM}@(-1|[0-9]{1,9})`;

/**
 * A consistency token as OpenAPI describes it; `parseToken` reads it. Its bound stands in the pattern: beside a length, generators of
 * requests look for ever for a text that has both.
 */
export const tokenText = z
  .string()
  .refine((text) => text !== '' && text.split(',').length <= MOST_OF_ONE, `1 to ${MOST_OF_ONE} streams`)
  .meta({ pattern: `^${ENTRY}(,${ENTRY}){0,${MOST_OF_ONE - 1}}$` });

/** Reads a consistency token: `<stream>@<revision>`, several separated by commas. @throws Problem `invalid-request` */
export function parseToken(token: string): Wanted[] {
  const entries = token.split(',').map((entry) => entry.trim());
  if (entries.length > MAX_ENTRIES) throw invalid(`at most ${MAX_ENTRIES} streams`);
  return entries.map((entry) => {
    const [, stream = '', revision = ''] = /^(.{1,200})@(-1|\d{1,9})$/.exec(entry) ?? [];
    try {
      parseStream(stream);
    } catch {
      throw invalid('use <stream>@<revision>, several separated by commas');
    }
    return { stream, type: streamType(stream), revision: Number(revision) };
  });
}

const invalid = (message: string): Problem =>
  new Problem('invalid-request', 'the consistency token cannot be read', { errors: [{ path: 'token', message }] });

/** A revision of a stream in one read model. */
type Awaited = {
  readonly projection: string;
  readonly version: number;
  readonly stream: string;
  readonly revision: number;
};

type Standing = Awaited & { readonly parkedRevision: number | null };

/** How far the read models came in these streams; one that they never saw is missing. */
type WhereStreamsStand = (wanted: readonly Awaited[]) => Promise<readonly Standing[]>;

/**
 * Looks for all that wait at the same time in one query: who asks while a query runs is in the next one. A wake-up wakes all,
 * so a query each would be as many as there are waiting, many times a second.
 */
function createWhereStreamsStand(pool: Pool): WhereStreamsStand {
  let waiting: Awaited[] = [];
  let next: Promise<readonly Standing[]> | null = null;
  let running: Promise<unknown> = Promise.resolve();

  const look = async (): Promise<readonly Standing[]> => {
    await running.catch(() => undefined);
    const wanted = waiting;
    waiting = [];
    next = null;
    const rows = select(pool, wanted);
    running = rows;
    return rows;
  };

  return (wanted) => {
    waiting.push(...wanted);
    next ??= look();
    return next;
  };
}

const select = (pool: Pool, wanted: readonly Awaited[]): Promise<Standing[]> =>
  selectRows(
    pool,
    `select projection, version, stream, revision, parked_revision as "parkedRevision"
     from read_models.streams
     where (projection, version, stream) in (select * from unnest($1::text[], $2::integer[], $3::text[]))`,
    [
      wanted.map(({ projection }) => projection),
      wanted.map(({ version }) => version),
      wanted.map(({ stream }) => stream),
    ],
  );
