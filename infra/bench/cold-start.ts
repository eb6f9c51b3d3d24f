import { parseArgs } from 'node:util';
import { createHandler } from '@workledger/shared/aggregate/handle.ts';
import { agent } from '@workledger/command-service/domain/agent.ts';
import { dependencies } from '@workledger/command-service/domain/dependencies.ts';
import { commandServiceMigrations } from '@workledger/command-service/processes/heartbeats.ts';
import { createPostgresSnapshots } from '@workledger/command-service/processes/snapshots.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { createDatabasePool } from '@workledger/shared/resilience/database-pool.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { plantClaims, plantEdges } from '../testing/events/plant.ts';
import { inFreshDatabase } from './fresh-database.ts';

// The first answer of handlers that know nothing yet, about streams with a long past: without a snapshot, and with one.
const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    claims: { type: 'string', default: '1000000' },
    edges: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '5' },
  },
});
const rounds = Number(values.rounds);
const context = () => ({ actor: 'system', correlationId: newId() });

await inFreshDatabase(values.url, async (connectionString) => {
  await migrate(connectionString, 'command_service', commandServiceMigrations);
  const log = await createPostgresEventLog({ connectionString });
  const pool = createDatabasePool({ connectionString, max: 4, applicationName: 'cold-start', queryTimeout: null });
  const store = createPostgresSnapshots(pool);

  const agentId = newId();
  await createHandler(log, agent).handle(
    agentId,
    {
      type: 'agent.register',
      data: { name: 'old', kind: 'worker', runtime: 'remote', capabilities: [], capacity: 10, coordinatorId: null },
    },
    context(),
  );
  await plantClaims(pool, agentId, Number(values.claims));
  const repository = newId();
  const [task = newId()] = await plantEdges(pool, repository, Number(values.edges));
  await pool.query('analyze event_log.events');

  /** A cold start up to the first answer of each kind, and what it took. */
  const measure = async (what: string, answer: (log: EventLog, snapshots: boolean) => Promise<unknown>) => {
    const rows: Record<string, unknown>[] = [];
    for (const snapshots of [false, true]) {
      // A snapshot is written after the first answer of one that has none.
      for (let round = 0; round < (snapshots ? rounds : 1); round++) {
        let events = 0;
        const counting: EventLog = {
          ...log,
          async *readStream(...parameters) {
            for await (const event of log.readStream(...parameters)) {
              events++;
              yield event;
            }
          },
        };
        globalThis.gc?.();
        const before = process.memoryUsage().rss;
        const startedAt = performance.now();
        await answer(counting, snapshots);
        const took = performance.now() - startedAt;
        rows.push({
          what: `${what}, ${snapshots ? `snapshot, ${round + 1}.` : 'none'}`,
          ms: Number(took.toFixed(1)),
          'events read': events,
          'RSS grew MB': Math.round((process.memoryUsage().rss - before) / 2 ** 20),
          'RSS MB': Math.round(process.memoryUsage().rss / 2 ** 20),
        });
      }
      if (!snapshots) await untilKept(answer);
    }
    console.table(rows);
  };

  const untilKept = async (answer: (log: EventLog, snapshots: boolean) => Promise<unknown>): Promise<void> => {
    await pool.query('truncate command_service.snapshots');
    await answer(log, true);
    const kept = async () => (await pool.query('select from command_service.snapshots')).rowCount ?? 0;
    while ((await kept()) === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  const options = (snapshots: boolean) => (snapshots ? { snapshots: { store } } : {});

  await measure(`an agent's reservation, ${values.claims} claims behind it`, (counted, snapshots) =>
    createHandler(counted, agent, options(snapshots)).handle(
      agentId,
      { type: 'agent.reserve', data: { claimId: newId(), taskId: newId() } },
      context(),
    ),
  );
  const waitFor = (dependsOn: string) => (counted: EventLog, snapshots: boolean) =>
    createHandler(counted, dependencies, options(snapshots)).handle(
      repository,
      { type: 'dependencies.add', data: { taskId: newId(), dependsOn: [dependsOn] } },
      context(),
    );
  await measure(`an edge to a task that waits for none, ${values.edges} edges`, waitFor(newId()));
  await measure(`an edge to one that waits for all others, ${values.edges} edges`, waitFor(task));
  await pool.end();
  await log.close();
});
