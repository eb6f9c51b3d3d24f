import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type pg from 'pg';
import { createCommandHandlers } from '@workledger/command-service/processes/handlers.ts';
import { commandServiceMigrations } from '@workledger/command-service/processes/heartbeats.ts';
import { runReadModels } from '@workledger/projections/all.ts';
import { migrateReadModels } from '@workledger/projections/migrations.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { createInProcessBus } from '@workledger/shared/event-bus/in-process/in-process-bus.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { encode } from '@workledger/shared/events/codec.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { createDatabasePool } from '@workledger/shared/resilience/database-pool.ts';
import { nextTasks } from '@workledger/shared/read-models/next-tasks.ts';
import { createdTask } from '../testing/events/task-events.ts';
import { inFreshDatabase } from './fresh-database.ts';

// What it takes an agent to claim the next task while so many wait: write side and read models in this process, as embedded.
const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    tasks: { type: 'string', default: '100000' },
    agents: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '20' },
  },
});
const [tasks, agents, seconds] = [values.tasks, values.agents, values.seconds].map(Number) as [number, number, number];
const SKILLS = ['python', 'rust', 'sql', 'go'];

await inFreshDatabase(values.url, async (connectionString) => {
  await migrate(connectionString, 'command_service', commandServiceMigrations);
  await migrateReadModels(connectionString);
  const log = await createPostgresEventLog({ connectionString });
  const pool = createDatabasePool({ connectionString, max: 8, applicationName: 'bench', queryTimeout: null });
  await plant(pool);

  const stopping = new AbortController();
  const { signal } = stopping;
  const bus = createInProcessBus(log);
  const logger = { info: () => undefined, error: console.error, warn: console.error, debug: () => undefined } as never;
  const running = runReadModels({ log, bus, pool, logger, onApplied: () => undefined, signal });
  const count = async (): Promise<number> =>
    Number((await pool.query<{ count: string }>('select count(*) from read_models.tasks')).rows[0]?.count);
  while ((await count()) < tasks) await pause(200);
  await pool.query('vacuum analyze read_models.tasks_v1');

  const { commands, ids } = await startAgents();
  const claimNext = async (target: string): Promise<{ milliseconds: number; claimed: boolean }> => {
    const begun = performance.now();
    const command = { type: 'agent.claim-next', target, data: {} };
    const { details } = await commands.send(command, { actor: `agent:${target}`, correlationId: newId() });
    return { milliseconds: performance.now() - begun, claimed: 'claimId' in details };
  };
  const rows = [tell('all at once, again and again', await atOnce(5)), tell('each once a second', await paced())];
  console.table(rows);
  stopping.abort();
  await running;
  await bus.close();
  await log.close();
  await pool.end();

  async function startAgents() {
    const handlers = await createCommandHandlers({
      log,
      pool,
      configuration: { repositories: [{ name: 'sample' }], leaseSeconds: 3_600, heartbeatSeconds: 3_600 },
      nextTasks: (wanted) => nextTasks(pool, { ...wanted, ageingSeconds: 3_600 }),
    });
    const registered = Array.from({ length: agents }, newId);
    for (const [index, target] of registered.entries()) {
      const data = { name: `agent ${index}`, capabilities: SKILLS.slice(index % 3), capacity: 1_000 };
      await handlers.send({ type: 'agent.register', target, data }, { actor: 'system', correlationId: newId() });
    }
    return { commands: handlers, ids: registered };
  }

  async function atOnce(rounds: number) {
    const all: Awaited<ReturnType<typeof claimNext>>[] = [];
    for (let round = 0; round < rounds; round++) all.push(...(await Promise.all(ids.map(claimNext))));
    return all;
  }

  async function paced() {
    const until = performance.now() + seconds * 1_000;
    const each = await Promise.all(
      ids.map(async (id, index) => {
        await pause((index * 1_000) / agents);
        const own: Awaited<ReturnType<typeof claimNext>>[] = [];
        for (let next = performance.now(); next < until; next += 1_000) {
          await pause(Math.max(0, next - performance.now()));
          own.push(await claimNext(id));
        }
        return own;
      }),
    );
    return each.flat();
  }
});

function tell(what: string, answers: readonly { milliseconds: number; claimed: boolean }[]) {
  const sorted = answers.map(({ milliseconds }) => milliseconds).sort((one, other) => one - other);
  const at = (part: number): number => Number((sorted[Math.floor(sorted.length * part)] ?? 0).toFixed(1));
  return {
    what,
    asked: answers.length,
    claimed: answers.filter(({ claimed }) => claimed).length,
    'p50 ms': at(0.5),
    'p99 ms': at(0.99),
    'process MB': Math.round(process.memoryUsage().rss / 2 ** 20),
  };
}

/** Tasks of a day, straight into the log; the read models are made of them as always. */
async function plant(pool: pg.Pool): Promise<void> {
  const metadata = {
    ...{ correlationId: newId(), causationId: null, commandId: newId(), commandHash: 'a'.repeat(64) },
    ...{ actor: 'system', traceparent: null },
  };
  const [event] = encode(streamName('task', newId()), [createdTask({ repository: 'sample' })], metadata);
  await pool.query(
    `insert into event_log.events
     select number, 'task-' || gen_random_uuid(), 0, gen_random_uuid(), 'TaskCreated', $2,
       (($3::jsonb || jsonb_build_object('priority', 1 + number % 5, 'capabilities',
         jsonb_build_array(($4::text[])[1 + number % cardinality($4::text[])]))))::json,
       ($5::jsonb || jsonb_build_object('commandId', gen_random_uuid()))::json,
       now() - ($1 - number) * interval '1 second' * 86400 / $1
     from generate_series(1, $1::integer) as number`,
    [tasks, event?.version, JSON.stringify(event?.data), SKILLS, JSON.stringify(metadata)],
  );
}
