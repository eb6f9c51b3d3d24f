import type { Pool } from 'pg';
import type { Outages } from '../resilience/outages/outages.ts';
import { pause } from '../resilience/pause.ts';

/**
 * What is to be tried again. `name` is the read model's or the saga's; `stream` the one that stands still; `key` the effect's where
 * it is one of a saga's effects, else empty.
 */
export type Redrive = { readonly name: string; readonly stream: string; readonly key: string };

/** SQL of the table, in the schema of whoever parks: what operators asked for, until it was tried. */
export const redrivesTable = (schema: string): string => `
  create table ${schema}.redrives (
    name text not null,
    stream text not null,
    key text not null,
    requested_by text not null,
    requested_at timestamptz not null default clock_timestamp(),
    primary key (name, stream, key)
  );`;

/** Notes that something is to be tried again; asking twice is asking once. */
export async function requestRedrive(pool: Pool, schema: string, asked: Redrive, requestedBy: string): Promise<void> {
  await pool.query(
    `insert into ${schema}.redrives (name, stream, key, requested_by) values ($1, $2, $3, $4) on conflict do nothing`,
    [asked.name, asked.stream, asked.key, requestedBy],
  );
}

/** What was asked for and not tried yet, oldest first, at most a hundred. */
export async function openRedrives(pool: Pool, schema: string): Promise<Redrive[]> {
  const { rows } = await pool.query<Redrive>(
    `select name, stream, key from ${schema}.redrives order by requested_at, name, stream, key limit 100`,
  );
  return rows;
}

/** Whatever came of it: it was tried. */
export async function settleRedrive(pool: Pool, schema: string, { name, stream, key }: Redrive): Promise<void> {
  await pool.query(`delete from ${schema}.redrives where name = $1 and stream = $2 and key = $3`, [name, stream, key]);
}

export type RedrivingOptions = {
  readonly pool: Pool;
  readonly schema: string;
  /** What is known as an outage is not told by `onFailed`. */
  readonly outages?: Pick<Outages, 'watch' | 'isTold'> | undefined;
  readonly signal: AbortSignal;
  /** Tries one, and settles it. What fails is tried again; the others are tried all the same. */
  readonly attempt: (asked: Redrive) => Promise<void>;
  /** Told once of each reason. @param asked null: nobody could look for what is asked */
  readonly onFailed: (error: unknown, asked: Redrive | null) => void;
};

/** A person asked for it, and looks at it then. */
const EVERY_MILLISECONDS = 2_000;

/** Tries again what operators ask for, until the signal aborts. */
export async function keepRedriving(options: RedrivingOptions): Promise<void> {
  const { pool, schema, outages, signal, attempt, onFailed } = options;
  const told = new Map<string, string>();
  const tell = (error: unknown, asked: Redrive | null): void => {
    const place = JSON.stringify(asked);
    const reason = String(error);
    if (!signal.aborted && outages?.isTold(error) !== true && told.get(place) !== reason) onFailed(error, asked);
    told.set(place, reason);
  };
  const look = (): Promise<Redrive[]> => openRedrives(pool, schema);
  while (!signal.aborted) {
    try {
      const open = await (outages === undefined ? look() : outages.watch('postgresql', look));
      for (const asked of open)
        if (!signal.aborted)
          await attempt(asked).then(
            () => told.delete(JSON.stringify(asked)),
            (error: unknown) => tell(error, asked),
          );
      told.delete(JSON.stringify(null));
    } catch (error) {
      tell(error, null);
    }
    await pause(EVERY_MILLISECONDS, signal);
  }
}
