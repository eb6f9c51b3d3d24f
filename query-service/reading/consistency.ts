import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'pg';
import { Problem } from '@workledger/shared/http/problem.ts';
import type { ReadModel } from '@workledger/shared/contexts/define-row.ts';
import type { WakeUps } from '@workledger/shared/resilience/wake-ups.ts';
import { parseToken } from './parse-token.ts';
import { createWhereStreamsStand, type Awaited, type WhereStreamsStand } from './where-streams-stand.ts';

export type ConsistencyOptions = {
  readonly pool: Pool;
  /** Milliseconds that a query may wait; default 5,000. */
  readonly waitMilliseconds?: number;
  /** Told by projections, in this process or another one; without it a waiting query only looks again and again. */
  readonly wakeUps?: WakeUps;
};

/** Waits until all of the models have what the token names. */
export type Settle = (token: string, models: readonly ReadModel<never>[], signal: AbortSignal) => Promise<void>;

const FIRST_PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 100;

/**
 * Makes the wait behind consistency tokens. A stream type that a model does not follow needs no wait.
 * The wait throws Problem `invalid-request` (a token that cannot be read), `stream-parked` (that stream has stopped: at
 * once), `not-yet-visible` (time out).
 */
export function createSettle({ pool, waitMilliseconds = 5_000, wakeUps }: ConsistencyOptions): Settle {
  const whereStreamsStand = createWhereStreamsStand(pool);
  return async (token, models, signal) => {
    let missing: readonly Awaited[] = parseToken(token).flatMap(({ stream, type, revision }) =>
      models
        .filter(({ streams }) => revision >= 0 && streams.includes(type))
        .map(({ name, version }) => ({ stream, revision, projection: name, version })),
    );
    const deadline = performance.now() + waitMilliseconds;
    for (let wait = FIRST_PAUSE_MS; missing.length > 0; wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
      missing = await stillMissing(whereStreamsStand, missing);
      if (missing.length === 0) return;
      const left = deadline - performance.now();
      if (left <= 0 || signal.aborted) throw notYetVisible(missing);
      await (wakeUps === undefined ? pause(Math.min(wait, left)) : wakeUps.next(Math.min(wait, left)));
    }
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
  new Problem('stream-parked', `read model ${projection} has stopped at revision ${parkedRevision} of ${stream}`, {
    facts: { stream, readModel: projection, applied: revision, parkedAt: parkedRevision },
  });

const notYetVisible = (missing: readonly Awaited[]): Problem =>
  new Problem('not-yet-visible', 'the read model does not have that revision yet: ask again', {
    facts: {
      missing: missing.map(({ stream, revision, projection }) => ({ stream, revision, readModel: projection })),
    },
    headers: { 'Retry-After': '1' },
  });
