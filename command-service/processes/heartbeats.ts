import type { Migration } from '@workledger/shared/migrations/migrate.ts';
import type { Pool } from 'pg';
import { knowledgeUsageTable } from './knowledge-usage.ts';
import { progressTable } from './reports.ts';
import { secretsTable } from './secrets.ts';
import { webhookSecretsTable } from './webhook-secrets.ts';
import { snapshotTables } from './snapshots.ts';

export type Heartbeats = {
  /** Notes a sign of life of `agent:<id>` or `claim:<id>`. */
  beat(...subjects: readonly string[]): Promise<void>;
  lastBeat(subject: string): Promise<Date | null>;
  /** Runs for `seconds` from the latest of the last beat, `since`, and the service's readiness. */
  lease(subject: string, since: Date, seconds: number): Promise<Lease>;
  /** Those of a kind without a beat for `seconds`, counted from this service's readiness at the earliest. */
  silent(kind: 'agent' | 'claim', seconds: number): Promise<readonly Silent[]>;
  forget(seen: readonly Silent[]): Promise<void>;
  /** Claims that the read model holds for open, the one first whose lease runs out first, at most so many. */
  openClaims(limit: number): Promise<readonly OpenClaim[]>;
};

/**
 * Signs of life, outside the log: upserts on the database's clock. Nobody is blamed for silence while we could not hear:
 * readiness is taken now, and again after the database was away.
 */
export async function createHeartbeats(pool: Pool): Promise<Heartbeats> {
  let ready: Date | null = await databaseTime(pool);

  const heard = async <Result>(query: (ready: Date) => Promise<Result>): Promise<Result> => {
    try {
      ready ??= await databaseTime(pool);
      return await query(ready);
    } catch (error) {
      ready = null;
      throw error;
    }
  };

  return {
    beat: (...subjects) => heard(() => beat(pool, subjects)),
    lastBeat: (subject) => heard(() => lastBeat(pool, subject)),
    lease: (subject, since, seconds) => heard((ready) => lease(pool, { subject, since, ready, seconds })),
    silent: (kind, seconds) => heard((ready) => silent(pool, { kind, ready, seconds })),
    forget: (seen) => heard(() => forget(pool, seen)),
    openClaims: (limit) => heard((ready) => openClaims(pool, ready, limit)),
  };
}

async function databaseTime(pool: Pool): Promise<Date> {
  const { rows } = await pool.query<{ now: Date }>('select clock_timestamp() as now');
  return (rows[0] as { now: Date }).now;
}

/** Notes a sign of life of each subject, on the database's clock. Sorted, so that two callers never wait for each other crosswise. */
async function beat(pool: Pool, subjects: readonly string[]): Promise<void> {
  await pool.query(
    `insert into command_service.heartbeats as known (subject, beat_at)
     select subject, clock_timestamp() from unnest($1::text[]) as subject order by subject
     on conflict (subject) do update set beat_at = greatest(known.beat_at, excluded.beat_at)`,
    [[...new Set(subjects)].sort()],
  );
}

/** The last sign of life of a subject; null when none is known. */
async function lastBeat(pool: Pool, subject: string): Promise<Date | null> {
  const { rows } = await pool.query<{ beat_at: Date }>(
    'select beat_at from command_service.heartbeats where subject = $1',
    [subject],
  );
  return rows[0]?.beat_at ?? null;
}

export type Lease = { readonly expired: boolean; readonly dueAt: Date };

/**
 * A subject's lease on the database's clock: it runs `seconds` from its last beat, from `since`, or from the service's
 * readiness, whichever is latest.
 */
async function lease(
  pool: Pool,
  { subject, since, ready, seconds }: { subject: string; since: Date; ready: Date; seconds: number },
): Promise<Lease> {
  const { rows } = await pool.query<Lease>(
    `select due as "dueAt", due <= clock_timestamp() as expired
     from (
       select greatest(
         (select beat_at from command_service.heartbeats where subject = $1), $2::timestamptz, $3::timestamptz
       ) + make_interval(secs => $4) as due
     ) as lease`,
    [subject, since, ready, seconds],
  );
  return rows[0] as Lease;
}

export type Silent = { readonly subject: string; readonly beatAt: Date };

/** Subjects of a kind (`agent`, `claim`) without a sign of life for so many seconds, none counted before `ready`. */
async function silent(
  pool: Pool,
  { kind, ready, seconds }: { kind: string; ready: Date; seconds: number },
): Promise<readonly Silent[]> {
  const { rows } = await pool.query<Silent>(
    `select subject, beat_at as "beatAt"
     from command_service.heartbeats
     where starts_with(subject, $1) and greatest(beat_at, $2::timestamptz) < clock_timestamp() - make_interval(secs => $3)
     order by subject
     limit 1000`,
    [`${kind}:`, ready, seconds],
  );
  return rows;
}

/** Forgets the beats that were seen; a newer one stays. */
async function forget(pool: Pool, seen: readonly Silent[]): Promise<void> {
  if (seen.length === 0) return;
  await pool.query(
    `delete from command_service.heartbeats as known
     using unnest($1::text[], $2::timestamptz[]) as seen (subject, beat_at)
     where known.subject = seen.subject and known.beat_at < seen.beat_at + interval '1 millisecond'`,
    [seen.map(({ subject }) => subject), seen.map(({ beatAt }) => beatAt)],
  );
}

export type OpenClaim = {
  readonly taskId: string;
  readonly claimId: string;
  /** Until its lease runs out, as far as the read model knows; negative: since it did. */
  readonly seconds: number;
};

/** Costs what is claimed now, however long it has been. */
async function openClaims(pool: Pool, ready: Date, limit: number): Promise<readonly OpenClaim[]> {
  const { rows } = await pool.query<OpenClaim>(
    `select t.id as "taskId", t.claim_id as "claimId", extract(epoch from
       greatest(known.beat_at, t.claimed_at, $1::timestamptz) + make_interval(secs => t.lease_seconds) - clock_timestamp()
     )::double precision as seconds
     from read_models.tasks t left join command_service.heartbeats known on known.subject = 'claim:' || t.claim_id
     where t.state = 'in-progress' and t.claim_id is not null
     order by seconds, t.claim_id
     limit $2`,
    [ready, limit],
  );
  return rows;
}

/** Tables of the command service, for `migrate(url, 'command_service', commandServiceMigrations)`. */
export const commandServiceMigrations: readonly Migration[] = [
  {
    name: '0001-heartbeats',
    up: async (knex) => {
      await knex.raw('create schema if not exists command_service');
      await knex.raw(`
        create table command_service.heartbeats (
          subject text primary key,
          beat_at timestamptz not null
        )`);
      await knex.raw('create index heartbeats_beat_at on command_service.heartbeats (beat_at)');
    },
  },
  snapshotTables,
  progressTable,
  knowledgeUsageTable,
  secretsTable,
  webhookSecretsTable,
];
