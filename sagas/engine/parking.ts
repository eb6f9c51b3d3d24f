import type { Pool } from 'pg';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import type { EffectJob } from './effects/queue.ts';

/** An event of another stream, for a saga. */
export type WaitingInput = Pick<RecordedEvent, 'stream' | 'revision'>;

/**
 * Sagas that stand still, and their inputs meanwhile; effects that cannot be carried out. Of a saga that stands still nothing is
 * queued; what is in hand ends, and its result is recorded where that is possible.
 */
export type Parking = {
  /** Which of these sagas stand still. */
  parked(streams: readonly string[]): Promise<Set<string>>;
  /** Lets a saga stand still, from this input on where it was one, and takes its jobs out of the queue. */
  park(stream: string, reason: string, input: WaitingInput | null): Promise<void>;
  /** Queues an input behind those that wait already. @returns false when the saga does not stand still any more */
  wait(stream: string, input: WaitingInput): Promise<boolean>;
  /** The first inputs that wait, in order. */
  waiting(stream: string): Promise<WaitingInput[]>;
  taken(stream: string, input: WaitingInput): Promise<void>;
  /** Lets a saga go on. @returns false when inputs came meanwhile: they come first */
  unpark(stream: string): Promise<boolean>;
  /** Gives an effect up. */
  parkEffect(effect: EffectJob, reason: string): Promise<void>;
  /** Forgets that these effects were given up. @returns those that were */
  unparkEffects(effects: readonly EffectJob[]): Promise<EffectJob[]>;
};

const LONGEST_REASON = 2_000;

export const createParking = (pool: Pool): Parking => ({
  parked: async (streams) => {
    const { rows } = await pool.query<{ stream: string }>(PARKED, [[...new Set(streams)]]);
    return new Set(rows.map(({ stream }) => stream));
  },
  park: async (stream, reason, input) => {
    const short = reason.slice(0, LONGEST_REASON);
    await pool.query(PARK, [stream, short, input?.stream ?? null, input?.revision ?? null]);
  },
  wait: async (stream, input) => (await pool.query(WAIT, [stream, input.stream, input.revision])).rows.length > 0,
  waiting: async (stream) => (await pool.query<WaitingInput>(WAITING, [stream])).rows,
  taken: async (stream, input) => void (await pool.query(TAKEN, [stream, input.stream, input.revision])),
  unpark: async (stream) => {
    const client = await pool.connect();
    let failure: unknown = null;
    try {
      await client.query('begin');
      // In a statement of its own: the next one sees what this one waited for.
      await client.query(`select from sagas.parked where stream = $1 and key = '' for update`, [stream]);
      const { rows } = await client.query<{ waits: boolean }>(UNPARK, [stream]);
      await client.query('commit');
      return rows[0]?.waits !== true;
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      client.release(failure !== null);
    }
  },
  parkEffect: async ({ stream, key }, reason) =>
    void (await pool.query(PARK_EFFECT, [stream, key, reason.slice(0, LONGEST_REASON)])),
  unparkEffects: async (effects) => {
    const columns = [effects.map(({ stream }) => stream), effects.map(({ key }) => key)];
    return (await pool.query<EffectJob>(UNPARK_EFFECTS, columns)).rows;
  },
});

const PARKED = `select stream from sagas.parked where key = '' and stream = any ($1)`;

const PARK = `
  with parked as (
    insert into sagas.parked (stream, reason) values ($1, $2)
    on conflict (stream, key) do update set reason = excluded.reason, parked_at = clock_timestamp()
  ), unqueued as (
    delete from graphile_worker._private_jobs where starts_with(key, $1::text || '/') and locked_at is null
  )
  insert into sagas.waiting_inputs (stream, source_stream, source_revision)
  select $1, $3, $4 where $3::text is not null
  on conflict do nothing`;

// Whoever lets the saga go on waits for this, or this for them: no input is left behind.
const WAIT = `
  with parked as (select stream from sagas.parked where stream = $1 and key = '' for share),
  waiting as (
    insert into sagas.waiting_inputs (stream, source_stream, source_revision)
    select stream, $2, $3 from parked
    on conflict do nothing
  )
  select from parked`;

const WAITING = `
  select source_stream as stream, source_revision as revision from sagas.waiting_inputs
  where stream = $1 order by number limit 100`;

const TAKEN = `delete from sagas.waiting_inputs where stream = $1 and source_stream = $2 and source_revision = $3`;

const UNPARK = `
  with waiting as (select exists (select from sagas.waiting_inputs where stream = $1) as waits),
  unparked as (delete from sagas.parked where stream = $1 and key = '' and not (select waits from waiting))
  select waits from waiting`;

const PARK_EFFECT = `
  insert into sagas.parked (stream, key, reason) values ($1, $2, $3)
  on conflict (stream, key) do update set reason = excluded.reason, parked_at = clock_timestamp()`;

const UNPARK_EFFECTS = `
  delete from sagas.parked p using unnest($1::text[], $2::text[]) as u (stream, key)
  where p.stream = u.stream and p.key = u.key and u.key <> ''
  returning p.stream, p.key`;
