import type { Migration } from '@workledger/shared/migrations/migrate.ts';

/** What models answered, by what they were asked: who asks the same again is told the same, and nobody pays twice. */
export const modelAnswersTable: Migration = {
  name: '0094-model-answers',
  up: (knex) =>
    knex.raw(`
      create table sagas.model_answers (
        -- what belongs together: within it the same question has the same answer
        scope text not null,
        digest text not null,
        -- how often the same was asked before
        number integer not null,
        -- the call of a component that paid for it
        paid_for text not null,
        model text not null,
        answer text not null,
        input_tokens integer not null,
        output_tokens integer not null,
        cost_usd double precision not null,
        answered_at timestamptz not null default clock_timestamp(),
        primary key (scope, digest, number)
      );
      create index model_answers_by_time on sagas.model_answers (answered_at);
    `),
};
