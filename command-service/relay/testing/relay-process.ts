import { messagesOf, startProgram } from '@workledger/infra/testing/processes/program.ts';
import type { Pool } from 'pg';
import type { EventBus } from '@workledger/shared/event-bus/port.ts';

export type RelayProcess = {
  readonly pid: number;
  /** The messages that it logged. */
  readonly said: string[];
  signal(name: NodeJS.Signals): void;
  /** Ends it, frozen or not; resolves when it is gone. */
  kill(name?: NodeJS.Signals): Promise<void>;
};

/** Starts a relay that publishes to the table of arrivals. */
export function startRelayProcess(url: string, leaseMilliseconds: number, publishMilliseconds: number): RelayProcess {
  const args = [url, String(leaseMilliseconds), String(publishMilliseconds)];
  const { pid, signal, end, ...program } = startProgram('command-service/relay/testing/relay.program.ts', args);
  return {
    pid,
    get said() {
      return messagesOf(program);
    },
    signal,
    kill: (name = 'SIGKILL') => end(name),
  };
}

/** What arrived, in the order in which it arrived, and from which process in which of its batches. */
export type Arrival = { process: number; batch: number; id: string; stream: string; revision: number };

/** Where relays of several processes publish to. */
export const createArrivals = (pool: Pool): Promise<unknown> =>
  pool.query(
    `create table arrivals (
       number bigserial primary key, process integer not null, batch integer not null,
       id uuid not null, stream text not null, revision integer not null
     )`,
  );

export async function readArrivals(pool: Pool): Promise<Arrival[]> {
  const { rows } = await pool.query<Arrival>(
    'select process, batch, id, stream, revision from arrivals order by number',
  );
  return rows;
}

/** A bus that many processes can share: a table. Each publish takes so many milliseconds at least. */
export function createTableBus(pool: Pool, milliseconds: number): Pick<EventBus, 'publish'> {
  let batch = 0;
  return {
    publish: async (events) => {
      await pool.query('select pg_sleep($1::double precision / 1000)', [milliseconds]);
      await pool.query(
        `insert into arrivals (process, batch, id, stream, revision)
         select $1, $2, * from unnest($3::uuid[], $4::text[], $5::integer[])`,
        [
          process.pid,
          ++batch,
          events.map(({ id }) => id),
          events.map(({ stream }) => stream),
          events.map(({ revision }) => revision),
        ],
      );
    },
  };
}
