import { runProjections } from '@workledger/projections/engine/run-projections.ts';
import type { Projection } from '@workledger/projections/engine/projection.ts';
import type { EventBus } from '@workledger/shared/event-bus/port.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { createDatabasePool } from '@workledger/shared/resilience/database-pool.ts';
import type { Pool } from 'pg';

type Line = {
  readonly level: 'info' | 'error';
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
};

/** A process's part that keeps read models up to date. */
export type Worker = {
  /** What it told its operator. */
  readonly lines: readonly Line[];
  /** Batches that changed something so far. */
  applied(): number;
  /** Ends it after the batch in flight. */
  stop(): Promise<void>;
};

export function startWorker(
  projections: readonly Projection[],
  { log, bus, databaseUrl }: { readonly log: EventLog; readonly bus: EventBus; readonly databaseUrl: string },
): Worker {
  const stopping = new AbortController();
  const pool = createDatabasePool({ connectionString: databaseUrl, max: 8, applicationName: 'worker' });
  const lines: Line[] = [];
  let applied = 0;
  const note = (level: Line['level']) => (facts: object, message: string) =>
    void lines.push({ level, message, facts: { ...facts } });
  const logger = { info: note('info'), error: note('error') };
  const { signal } = stopping;
  const running = runProjections({ projections, log, bus, pool, logger, signal, onApplied: () => void applied++ });
  return {
    lines,
    applied: () => applied,
    stop: async () => {
      stopping.abort();
      await running;
      await pool.end();
    },
  };
}

/** From now on one write of continuity in twenty fails, as if the server went away in the middle of the transaction. */
export const letWritesFail = async (pool: Pool): Promise<void> =>
  void (await pool.query(`
    create function read_models.fail_sometimes() returns trigger language plpgsql as $$
    begin
      if random() < 0.05 then
        raise exception 'terminating connection' using errcode = 'admin_shutdown';
      end if;
      return null;
    end $$;
    create trigger fail_sometimes after insert or update on read_models.streams
      for each statement execute function read_models.fail_sometimes()`));

export const letWritesSucceed = async (pool: Pool): Promise<void> =>
  void (await pool.query('drop trigger fail_sometimes on read_models.streams'));
