import type { Pool } from 'pg';

/** An effect that was requested at a revision of its saga's stream, and whose result the log did not tell yet. */
export type OpenEffect = { readonly stream: string; readonly key: string; readonly revision: number };

type Named = Pick<OpenEffect, 'stream' | 'key'>;

/** Effects without a result, noted as the log tells of them: what has to be done, however old the log is. */
export type OpenEffects = {
  /** Repeats are harmless. */
  note(requested: readonly OpenEffect[], settled: readonly Named[]): Promise<void>;
  settle(effects: readonly Named[]): Promise<void>;
  /**
   * Those noted so many seconds ago, or earlier, whose job is not in the queue: in order, at most `limit`.
   * @param after the last one of the page before
   */
  withoutJob(seconds: number, limit: number, after?: Named): Promise<OpenEffect[]>;
};

export const createOpenEffects = (pool: Pool): OpenEffects => ({
  note: async (requested, settled) => {
    await pool.query(NOTE, [
      ...[requested.map(({ stream }) => stream), requested.map(({ key }) => key)],
      ...[requested.map(({ revision }) => revision)],
      ...columns(settled),
    ]);
  },
  settle: async (effects) => {
    if (effects.length > 0) await pool.query(SETTLE, columns(effects));
  },
  withoutJob: async (seconds, limit, after) => {
    const values = [seconds, limit, after?.stream ?? '', after?.key ?? ''];
    return (await pool.query<OpenEffect>(WITHOUT_JOB, values)).rows;
  },
});

const columns = (effects: readonly Named[]): string[][] => [
  effects.map(({ stream }) => stream),
  effects.map(({ key }) => key),
];

const SETTLE = `
  delete from sagas.open_effects o using unnest($1::text[], $2::text[]) as settled (stream, key)
  where o.stream = settled.stream and o.key = settled.key`;

// What one batch both requests and settles never gets a row.
const NOTE = `
  with settled as (select * from unnest($4::text[], $5::text[]) as s (stream, key)),
  gone as (
    delete from sagas.open_effects o using settled s where o.stream = s.stream and o.key = s.key
  )
  insert into sagas.open_effects (stream, key, revision)
  select r.stream, r.key, r.revision from unnest($1::text[], $2::text[], $3::integer[]) as r (stream, key, revision)
  where not exists (select from settled s where s.stream = r.stream and s.key = r.key)
  on conflict (stream, key) do nothing`;

const WITHOUT_JOB = `
  select stream, key, revision from sagas.open_effects o
  where noted_at <= clock_timestamp() - make_interval(secs => $1) and (stream, key) > ($3, $4)
    and not exists (select from graphile_worker._private_jobs j where j.key = o.stream || '/' || o.key)
  order by stream, key limit $2`;
