import { parseArgs } from 'node:util';
import type { Pool } from 'pg';
import { topicsOf, type Projection } from '@workledger/projections/engine/projection.ts';
import { PARTITIONS } from '@workledger/shared/event-bus/port.ts';
import { projections } from '@workledger/projections/all.ts';
import { migrateReadModels } from '@workledger/projections/migrations.ts';
import { tasks } from '@workledger/projections/tasks/projection.ts';
import { createInProcessBus } from '@workledger/shared/event-bus/in-process/in-process-bus.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { streamType } from '@workledger/shared/contexts/stream.ts';
import { createPostgresWakeUps } from '@workledger/shared/resilience/notifier.ts';
import { createWakeUps } from '@workledger/shared/resilience/wake-ups.ts';
import { createDatabasePool } from '@workledger/shared/resilience/database-pool.ts';
import { inFreshDatabase } from './fresh-database.ts';
import { fillLog } from './read-models/fill-log.ts';
import { relayToKafka } from './read-models/kafka.ts';
import { readAndCopy } from './read-models/read-and-copy.ts';
import { runUntil, timed, type Took } from './read-models/run-until.ts';
import { timeUntilVisible, type Visible } from './read-models/until-visible.ts';

/** Empties read models: the next run builds them from the log. */
async function empty(pool: Pool, projections: readonly Projection[]): Promise<void> {
  const tables = projections.map(({ table, version }) => `read_models.${table}_v${version}`);
  await pool.query(`truncate read_models.progress, read_models.streams, ${tables.join(', ')}`);
}

/** Empties read models so that the next run follows the bus from its start, without a look at the log. */
async function emptyAtStartOfBus(pool: Pool, projections: readonly Projection[]): Promise<void> {
  await empty(pool, projections);
  for (const projection of projections)
    for (const topic of topicsOf(projection))
      await pool.query(
        `insert into read_models.progress (projection, version, topic, partition, next_offset)
         select $1, $2, $3, partition, 0 from generate_series(0, $4 - 1) as partition`,
        [projection.name, projection.version, topic, PARTITIONS],
      );
}

// How fast events come into the read models: rebuilt from the log, followed over the bus; and when one event is visible.
const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    kafka: { type: 'string' },
    events: { type: 'string', default: '60000' },
    rounds: { type: 'string', default: '3' },
    rate: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '10' },
  },
});
const { url } = values;

const latencies: ({ what: string } & Visible)[] = [];
const rates = new Map<string, { wall: number; cpu: number }[]>();
const keep = (what: string, events: number, { seconds, cpuSeconds }: Took): void =>
  void rates.set(what, [...(rates.get(what) ?? []), { wall: events / seconds, cpu: events / cpuSeconds }]);

await inFreshDatabase(url, async (connectionString) => {
  await migrateReadModels(connectionString);
  const log = await createPostgresEventLog({ connectionString });
  const pool = createDatabasePool({ connectionString, max: 10, applicationName: 'bench', queryTimeout: null });
  const inProcess = { log, pool, bus: createInProcessBus(log) };
  const kafka = values.kafka === undefined ? null : await relayToKafka(values.kafka.split(','), connectionString, log);
  const overKafka = kafka === null ? null : { log, pool, bus: kafka.bus };

  const load = { rate: Number(values.rate), seconds: Number(values.seconds) };
  const wakeUps = createWakeUps();
  latencies.push({ what: 'in process', ...(await timeUntilVisible(inProcess, { ...load, tell: wakeUps, wakeUps })) });
  if (overKafka !== null) {
    const open = (applicationName: string) => createPostgresWakeUps({ connectionString, applicationName });
    const [told, heard] = [open('bench projections'), open('bench queries')];
    await empty(pool, projections);
    const visible = await timeUntilVisible(overKafka, { ...load, tell: told, wakeUps: heard });
    latencies.push({ what: 'through Kafka', ...visible });
    await Promise.all([told.close(), heard.close()]);
  }

  console.table(
    latencies.map(({ what, perSecond, p50, p99 }) => ({
      'accepted → visible': what,
      'commands/s': Math.round(perSecond),
      'p50 ms': Number(p50.toFixed(1)),
      'p99 ms': Number(p99.toFixed(1)),
    })),
  );

  await fillLog(log, Number(values.events));
  await kafka?.untilPublished();
  const counts = await countByStreamType(log);
  const ways: [string, readonly Projection[]][] = [
    ['all read models', projections],
    ['only tasks', [tasks]],
  ];
  // In turns, so that what else the machine does meets all alike.
  for (let round = 0; round < Number(values.rounds); round++) {
    keep('read and COPY', Number(await log.head()), await timed(() => readAndCopy(connectionString, log)));
    for (const [name, chosen] of ways) {
      const events = chosen.flatMap(({ streams }) => streams).reduce((sum, type) => sum + (counts.get(type) ?? 0), 0);
      await empty(pool, projections);
      keep(`rebuild from the log: ${name}`, events, await runUntil(chosen, inProcess, events));
      await emptyAtStartOfBus(pool, chosen);
      keep(`over the bus in process: ${name}`, events, await runUntil(chosen, inProcess, events));
      if (overKafka === null) continue;
      await emptyAtStartOfBus(pool, chosen);
      keep(`over Kafka: ${name}`, events, await runUntil(chosen, overKafka, events));
    }
  }
  await kafka?.close();
  await inProcess.bus.close();
  await log.close();
  await pool.end();
});

const median = (what: string, kind: 'wall' | 'cpu'): number => {
  const sorted = (rates.get(what) ?? []).map((rate) => rate[kind]).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};
console.table(
  [...rates.keys()].map((what) => ({
    what,
    'events/s': Math.round(median(what, 'wall')),
    'events/CPU second': Math.round(median(what, 'cpu')),
    '× read and COPY': Number((median(what, 'wall') / median('read and COPY', 'wall')).toFixed(2)),
  })),
);

async function countByStreamType(log: EventLog): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for await (const { stream } of log.readAll()) {
    const type = streamType(stream);
    counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  return counts;
}
