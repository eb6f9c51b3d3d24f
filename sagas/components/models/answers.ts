import type pg from 'pg';

export type AnswerKey = { readonly scope: string; readonly digest: string; readonly number: number };

/** What one answer, or many, took. */
export type Usage = { readonly inputTokens: number; readonly outputTokens: number; readonly costUsd: number };

export type KeptAnswer = Usage & {
  /** JSON, as the endpoint answered it. */
  readonly text: string;
};

export type Spent = Usage & { readonly calls: number };

/** Answers of models, each kept before anybody reads it. */
export type Answers = {
  find(key: AnswerKey): Promise<KeptAnswer | null>;
  /**
   * What was answered in this scope, else the newest that the same was answered anywhere; not what the work of an attempt came from that
   * was judged bad. It was paid there.
   */
  findSame(of: Pick<AnswerKey, 'scope' | 'digest'>): Promise<KeptAnswer | null>;
  keep(key: AnswerKey, answer: KeptAnswer & { readonly model: string; readonly paidFor: string }): Promise<void>;
  /** What a scope took in all, or what one call paid of it. */
  spent(scope: string, paidFor?: string): Promise<Spent>;
  /** Drops what no run can ask for any more. */
  forgetOld(): Promise<void>;
};

/** A run that is older has ended, or is not the same any more. */
const KEPT_DAYS = 30;

export const createAnswers = (pool: pg.Pool): Answers => ({
  find: async ({ scope, digest, number }) => {
    const { rows } = await pool.query<{ answer: string; input: number; output: number; cost: number }>(
      `select answer, input_tokens as input, output_tokens as output, cost_usd as cost
         from sagas.model_answers where scope = $1 and digest = $2 and number = $3`,
      [scope, digest, number],
    );
    const [row] = rows;
    if (row === undefined) return null;
    return { text: row.answer, inputTokens: row.input, outputTokens: row.output, costUsd: row.cost };
  },
  findSame: async ({ scope, digest }) => {
    const { rows } = await pool.query<{ answer: string }>(
      `select answer from sagas.model_answers kept
        where (scope = $1 or digest = $2) and number = 0 and answered_at > clock_timestamp() - $3 * interval '1 day'
          and not exists (
            select from sagas.generation_outcomes bad
             where not bad.succeeded and kept.scope = bad.run_id || '/write-' || bad.round || '-' || bad.attempt)
        order by scope = $1 desc, answered_at desc limit 1`,
      [scope, digest, KEPT_DAYS],
    );
    const [row] = rows;
    return row === undefined ? null : { text: row.answer, inputTokens: 0, outputTokens: 0, costUsd: 0 };
  },
  keep: async ({ scope, digest, number }, { text, model, paidFor, inputTokens, outputTokens, costUsd }) => {
    await pool.query(
      `insert into sagas.model_answers
         (scope, digest, number, paid_for, model, answer, input_tokens, output_tokens, cost_usd)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing`,
      // U+0000 is no text of PostgreSQL's; in JSON it is escaped, and must not come from there either.
      [scope, digest, number, paidFor, model, text.replaceAll('\0', ''), inputTokens, outputTokens, costUsd],
    );
  },
  spent: async (scope, paidFor) => {
    const { rows } = await pool.query<{ calls: number; input: number; output: number; cost: number }>(
      `select count(*)::int as calls, coalesce(sum(input_tokens), 0)::float8 as input,
              coalesce(sum(output_tokens), 0)::float8 as output, coalesce(sum(cost_usd), 0) as cost
         from sagas.model_answers where scope = $1 and ($2::text is null or paid_for = $2)`,
      [scope, paidFor ?? null],
    );
    const { calls = 0, input = 0, output = 0, cost = 0 } = rows[0] ?? {};
    return { calls, inputTokens: input, outputTokens: output, costUsd: cost };
  },
  forgetOld: async () => {
    await pool.query(`delete from sagas.model_answers where answered_at < clock_timestamp() - $1 * interval '1 day'`, [
      KEPT_DAYS,
    ]);
  },
});
