import type { Pool } from 'pg';

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
