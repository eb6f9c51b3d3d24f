import type pg from 'pg';

/** The part of a pool that reading needs. */
export type ReadPool = {
  query<Row extends pg.QueryResultRow>(statement: pg.QueryConfig): Promise<pg.QueryResult<Row>>;
};

/** The pool for readers: what they wait for fails at once when the log is closed. A pool that ends lets those who wait in it wait. */
export function untilClosed(pool: pg.Pool, closing: AbortSignal): ReadPool {
  const waiting = new Set<(reason: Error) => void>();
  closing.addEventListener(
    'abort',
    () => {
      for (const reject of waiting) reject(new Error('reading: the event log is closed'));
    },
    { once: true },
  );
  return {
    query: (statement) =>
      new Promise((resolve, reject) => {
        waiting.add(reject);
        pool
          .query(statement)
          .then(resolve, reject)
          .finally(() => waiting.delete(reject));
      }),
  };
}
