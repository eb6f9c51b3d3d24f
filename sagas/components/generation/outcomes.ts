import type pg from 'pg';
import type { Migration } from '@workledger/shared/migrations/migrate.ts';
import type { Level } from './strategy.ts';

/** How attempts came out, so that the next tasks are given to who is good at their like. */
export const generationOutcomesTable: Migration = {
  name: '0110-generation-outcomes',
  up: (knex) =>
    knex.raw(`
      create table sagas.generation_outcomes (
        run_id text not null,
        round integer not null,
        attempt integer not null,
        repository text not null,
        strategy text not null,
        level text not null,
        succeeded boolean not null,
        cost_usd double precision,
        told_at timestamptz not null default clock_timestamp(),
        primary key (run_id, round, attempt)
      );
      create index generation_outcomes_by_time on sagas.generation_outcomes (repository, level, told_at);
      create index model_answers_by_digest on sagas.model_answers (digest, answered_at);
    `),
};

export type Outcome = {
  readonly round: number;
  readonly attempt: number;
  readonly strategy: string;
  readonly succeeded: boolean;
  /** US dollars; null: nobody told. */
  readonly costUsd: number | null;
};

export type Record = { readonly succeeded: number; readonly failed: number; readonly averageUsd: number | null };

/** How attempts of a repository's tasks came out. */
export type Outcomes = {
  /** Of the last months, by strategy. */
  of(repository: string, level: Level): Promise<ReadonlyMap<string, Record>>;
  /** The same again changes nothing. */
  keep(
    of: { readonly runId: string; readonly repository: string; readonly level: Level },
    outcomes: readonly Outcome[],
  ): Promise<void>;
};

/** What is older tells little of a model that is another one by now. */
const COUNTED_DAYS = 90;

export const createOutcomes = (pool: pg.Pool): Outcomes => ({
  of: async (repository, level) => {
    const { rows } = await pool.query<{ strategy: string; good: number; bad: number; average: number | null }>(
      `select strategy, count(*) filter (where succeeded)::int as good,
              count(*) filter (where not succeeded)::int as bad, avg(cost_usd) as average
         from sagas.generation_outcomes
        where repository = $1 and level = $2 and told_at > clock_timestamp() - $3 * interval '1 day'
        group by strategy`,
      [repository, level, COUNTED_DAYS],
    );
    return new Map(
      rows.map(({ strategy, good, bad, average }) => [strategy, { succeeded: good, failed: bad, averageUsd: average }]),
    );
  },
  keep: async ({ runId, repository, level }, outcomes) => {
    for (const { round, attempt, strategy, succeeded, costUsd } of outcomes)
      await pool.query(
        `insert into sagas.generation_outcomes
           (run_id, round, attempt, repository, strategy, level, succeeded, cost_usd)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing`,
        [runId, round, attempt, repository, strategy, level, succeeded, costUsd],
      );
    await pool.query(
      `delete from sagas.generation_outcomes where told_at < clock_timestamp() - 2 * $1 * interval '1 day'`,
      [COUNTED_DAYS],
    );
  },
});
