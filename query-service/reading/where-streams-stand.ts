import type { Pool } from 'pg';
import { selectRows } from '@workledger/shared/read-models/select-rows.ts';

/** A revision of a stream in one read model. */
export type Awaited = {
  readonly projection: string;
  readonly version: number;
  readonly stream: string;
  readonly revision: number;
};

type Standing = Awaited & { readonly parkedRevision: number | null };

/** How far the read models came in these streams; one that they never saw is missing. */
export type WhereStreamsStand = (wanted: readonly Awaited[]) => Promise<readonly Standing[]>;

/**
 * Looks for all that wait at the same time in one query: who asks while a query runs is in the next one. A wake-up wakes all,
 * so a query each would be as many as there are waiting, many times a second.
 */
export function createWhereStreamsStand(pool: Pool): WhereStreamsStand {
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
