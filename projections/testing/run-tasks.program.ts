import pg from 'pg';
import { createInProcessBus } from '@workledger/shared/event-bus/in-process/in-process-bus.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { runProjections } from '../engine/run-projections.ts';
import { tasks } from '../tasks/projection.ts';

/** A projection worker of its own, until it is killed. Argument: the database's URL. */
const [, , connectionString = ''] = process.argv;
const log = await createPostgresEventLog({ connectionString });
await runProjections({
  projections: [tasks],
  log,
  bus: createInProcessBus(log),
  pool: new pg.Pool({ connectionString }),
  signal: new AbortController().signal,
  logger: { info: () => undefined, error: () => undefined },
});
