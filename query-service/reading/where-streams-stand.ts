import type { Pool } from 'pg';
import { selectRows } from '@workledger/shared/read-models/select-rows.ts';

/** A revision of a stream in one read model. */
export type Awaited = {
  readonly projection: string;
  readonly version: number;
  readonly stream: string;
  readonly revision: number;
};

/** How far the read models came in these streams; one that they never saw is missing. */
export const whereStreamsStand = (
  pool: Pool,
  wanted: readonly Awaited[],
): Promise<(Awaited & { readonly parkedRevision: number | null })[]> =>
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
