import type { Pool } from 'pg';

/** An effect that was requested at a revision of its saga's stream, and whose result the log did not tell yet. */
export type OpenEffect = { readonly stream: string; readonly key: string; readonly revision: number };

type Named = Pick<OpenEffect, 'stream' | 'key'>;

/** Effects without a result, noted as the log tells of them: what has to be done, however old the log is. */
export type OpenEffects = {
  /** Repeats are harmless. @returns of the sagas that requested something, those that stand still */
  note(requested: readonly OpenEffect[], settled: readonly Named[]): Promise<Set<string>>;
  settle(effects: readonly Named[]): Promise<void>;
  /**
   * Those noted so many seconds ago, or earlier, whose job is not in the queue and that nothing keeps from having one: in order, at
   * most `limit`.
   * @param after the last one of the page before
   */
  withoutJob(seconds: number, limit: number, after?: Named): Promise<OpenEffect[]>;
  /** Those of one saga whose job is not in the queue. */
  ofSaga(stream: string): Promise<OpenEffect[]>;
};

export const createOpenEffects = (pool: Pool): OpenEffects => ({
  note: async (requested, settled) => {
    const { rows } = await pool.query<{ stream: string }>(NOTE, [
      ...[requested.map(({ stream }) => stream), requested.map(({ key }) => key)],
      ...[requested.map(({ revision }) => revision)],
      ...columns(settled),
    ]);
    return new Set(rows.map(({ stream }) => stream));
  },
  settle: async (effects) => {
    if (effects.length > 0) await pool.query(SETTLE, columns(effects));
  },
  withoutJob: async (seconds, limit, after) => {
    const values = [seconds, limit, after?.stream ?? '', after?.key ?? ''];
    return (await pool.query<OpenEffect>(WITHOUT_JOB, values)).rows;
  },
  ofSaga: async (stream) => (await pool.query<OpenEffect>(OF_SAGA, [stream])).rows,
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
  ),
  noted as (
    insert into sagas.open_effects (stream, key, revision)
    select r.stream, r.key, r.revision from unnest($1::text[], $2::text[], $3::integer[]) as r (stream, key, revision)
    where not exists (select from settled s where s.stream = r.stream and s.key = r.key)
    on conflict (stream, key) do nothing
  )
  select stream from sagas.parked where key = '' and stream = any ($1)`;

const TO_QUEUE = `
  not exists (select from graphile_worker._private_jobs j where j.key = o.stream || '/' || o.key)
  and not exists (select from sagas.parked p where p.stream = o.stream and p.key in ('', o.key))`;

const WITHOUT_JOB = `
  select stream, key, revision from sagas.open_effects o
  where noted_at <= clock_timestamp() - make_interval(secs => $1) and (stream, key) > ($3, $4) and ${TO_QUEUE}
  order by stream, key limit $2`;

const OF_SAGA = `select stream, key, revision from sagas.open_effects o where stream = $1 and ${TO_QUEUE} order by key`;
