import type { Pool } from 'pg';

/** In time for an answer of /health. Milliseconds. */
const TIMEOUT = 1_500;

/** @throws Error when the database does not answer at once */
export async function checkPool(pool: Pool): Promise<void> {
  const question = { text: 'select 1', query_timeout: TIMEOUT };
  await pool.query(question);
}
