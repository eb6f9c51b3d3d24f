import type { WorkflowRunEvent } from '@workledger/shared/contexts/task/workflow-run/events.ts';
import type { Pool } from 'pg';

type Began = Extract<WorkflowRunEvent, { type: 'WorkflowRunWaitBegan' }>['data'];

/** A step of a run that waits for an event. */
export type Wait = Began & {
  readonly runId: string;
  /** Of the log: events after it count. */
  readonly after: bigint;
};
export type Entry = Pick<Wait, 'runId' | 'step' | 'round' | 'attempt'>;

type Row = Omit<Wait, 'after'> & { readonly after: string };

const COLUMNS = `run_id as "runId", step, round, attempt, events, of_id as "of", filters as "where", repositories, after_position as after`;
const waitOf = (row: Row): Wait => ({ ...row, after: BigInt(row.after) });

/** Notes that a step waits; once. */
export async function noteWait(pool: Pool, wait: Wait): Promise<void> {
  const { runId, step, round, attempt, events, of, where, repositories, after } = wait;
  const entry = [runId, step, round, attempt];
  await pool.query(
    `insert into sagas.workflow_waits (run_id, step, round, attempt, events, of_id, filters, repositories, after_position)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing`,
    [...entry, events, of, JSON.stringify(where), repositories, String(after)],
  );
}

export async function forgetWait(pool: Pool, { runId, step, round, attempt }: Entry): Promise<void> {
  const statement = 'delete from sagas.workflow_waits where run_id = $1 and step = $2 and round = $3 and attempt = $4';
  await pool.query(statement, [runId, step, round, attempt]);
}

/** A run that has ended waits for nothing. */
export async function forgetRun(pool: Pool, runId: string): Promise<void> {
  await pool.query('delete from sagas.workflow_waits where run_id = $1', [runId]);
}

/** Those that events of these names, of these streams, may end. */
export async function waitsFor(pool: Pool, names: readonly string[], ids: readonly string[]): Promise<readonly Wait[]> {
  const statement = `select ${COLUMNS} from sagas.workflow_waits where events && $1::text[] and (of_id is null or of_id = any ($2::text[]))`;
  return (await pool.query<Row>(statement, [[...names], [...ids]])).rows.map(waitOf);
}

/** The names of all events that are waited for. */
export async function namesWaitedFor(pool: Pool): Promise<readonly string[]> {
  const { rows } = await pool.query<{ name: string }>(
    'select distinct unnest(events) as name from sagas.workflow_waits',
  );
  return rows.map(({ name }) => name);
}

/**
 * Those for which the log is to be read: at once, and again after so many seconds, up to when another process may not have known of it.
 * What was read once is not read again (`after`).
 */
export async function waitsBehind(pool: Pool, most: number, seconds: number): Promise<readonly Wait[]> {
  const statement = `
    select ${COLUMNS.replace('after_position', 'greatest(after_position, read_to)')} from sagas.workflow_waits
    where readings = 0 or (readings = 1 and noted_at < clock_timestamp() - make_interval(secs => $2))
    order by noted_at limit $1`;
  return (await pool.query<Row>(statement, [most, seconds])).rows.map(waitOf);
}

/** @param until position up to which the log was read for them */
export async function noteReading(pool: Pool, entries: readonly Entry[], until: bigint): Promise<void> {
  if (entries.length === 0) return;
  await pool.query(
    `update sagas.workflow_waits w set readings = readings + 1, read_to = $5
     from unnest($1::text[], $2::text[], $3::integer[], $4::integer[]) as e (run_id, step, round, attempt)
     where w.run_id = e.run_id and w.step = e.step and w.round = e.round and w.attempt = e.attempt`,
    [
      entries.map(({ runId }) => runId),
      entries.map(({ step }) => step),
      entries.map(({ round }) => round),
      entries.map(({ attempt }) => attempt),
      String(until),
    ],
  );
}
