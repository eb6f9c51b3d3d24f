import type { Pool } from 'pg';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import type { Migration } from '@workledger/shared/migrations/migrate.ts';

/** Seconds after which a report is an event again. */
const EVENT_EVERY = 60;
/** Commands that a claim's row remembers, so that a late copy of one does not put an old note over a newer one. */
const REMEMBERED = 32;
/** Longer than any claim is open without a report: such a row belongs to nobody. */
const KEPT = '30 days';

export type Reports = {
  /** Notes a report. @returns `tell`: it is to be an event; else the revision to answer, a copy's the one of the first time */
  note(report: Report): Promise<'tell' | number>;
};

type Report = {
  readonly taskId: string;
  readonly claimId: string;
  readonly note: string;
  readonly percent: number | null;
  readonly commandId: string;
  readonly commandHash: string;
  /** Where the task stands. */
  readonly revision: number;
};

export const createReports = (pool: Pool): Reports => ({
  note: async (report) => {
    const { taskId, claimId, note, percent, commandId, commandHash, revision } = report;
    const tenth = Math.floor((percent ?? 0) / 10);
    const command = `${commandId} ${commandHash} ${revision}`;
    const { rows } = await pool.query<{ due: boolean; isFirst: boolean }>(NOTE, [
      ...[claimId, taskId, note, percent, tenth, command, commandId],
    ]);
    const [noted] = rows;
    if (noted === undefined) return repeated(pool, report);
    if (noted.isFirst) await pool.query(FORGET, [claimId, taskId]);
    return noted.due ? 'tell' : revision;
  },
});

const NOTE = `
insert into command_service.progress as known
  (claim_id, task_id, note, percent, reported_at, told_at, told_tenth, commands)
select $1::uuid, $2::uuid, $3, $4::double precision, now, now, $5::integer, array[$6] from (select clock_timestamp() as now) as clock
on conflict (claim_id) do update set
  note = excluded.note,
  percent = excluded.percent,
  reported_at = excluded.reported_at,
  told_at = case
    when excluded.told_tenth > known.told_tenth or excluded.told_at >= known.told_at + interval '${EVENT_EVERY} seconds'
    then excluded.told_at else known.told_at end,
  told_tenth = greatest(known.told_tenth, excluded.told_tenth),
  commands = (excluded.commands || known.commands)[1:${REMEMBERED}]
where not exists (select from unnest(known.commands) as command where starts_with(command, $7))
returning told_at = reported_at as due, cardinality(commands) = 1 as "isFirst"`;

const FORGET = `
delete from command_service.progress
where (task_id = $2 and claim_id <> $1) or reported_at < clock_timestamp() - interval '${KEPT}'`;

async function repeated(pool: Pool, { claimId, commandId, commandHash, revision }: Report): Promise<number> {
  const { rows } = await pool.query<{ command: string }>(
    `select command from command_service.progress, unnest(commands) as command where claim_id = $1 and starts_with(command, $2)`,
    [claimId, commandId],
  );
  const [, hash, first] = (rows[0]?.command ?? '').split(' ');
  if (hash !== undefined && hash !== commandHash)
    refuse('idempotency-key-reused', 'this idempotency key was used for another request: use a new one', { commandId });
  return first === undefined ? revision : Number(first);
}

export const progressTable: Migration = {
  name: '0003-progress',
  up: async (knex) => {
    await knex.raw(`
      create table command_service.progress (
        claim_id    uuid primary key,
        task_id     uuid not null,
        note        text not null,
        percent     double precision,
        reported_at timestamptz not null,
        told_at     timestamptz not null,
        told_tenth  integer not null,
        commands    text[] not null
      ) with (fillfactor = 50)`);
    await knex.raw('create index progress_task_id on command_service.progress (task_id)');
    await knex.raw('create index progress_reported_at on command_service.progress (reported_at)');
  },
};
