import { runProjections } from '@workledger/projections/engine/run-projections.ts';
import { migrateReadModels } from '@workledger/projections/migrations.ts';
import { createKafkaBus } from '@workledger/shared/event-bus/kafka/kafka-bus.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { streamName } from '@workledger/shared/contexts/stream.ts';
import { createLogger } from '@workledger/shared/telemetry/logger.ts';
import type { Pool } from 'pg';
import { createTrailTable, readTrails, trail } from '../trail.ts';
import { until } from '../../../testing/processes/until.ts';

const logger = createLogger({ service: 'trail', level: 'silent' });
const PATIENCE_SECONDS = 60;

/** A projection over Kafka that notes what it was given. */
export type TrailReader = {
  /** Ids by stream, once it has seen the last of each; or what it has when that takes too long. */
  seen(expected: ReadonlyMap<string, readonly string[]>): Promise<Map<string, readonly string[]>>;
  stop(): Promise<void>;
};

export type TrailOptions = {
  readonly log: EventLog;
  readonly pool: Pool;
  readonly databaseUrl: string;
  readonly kafkaBrokers: string;
  readonly topicPrefix: string;
};

/** Begins it on the empty log: all that is written from then on comes to it over Kafka. */
export async function followTrail({
  log,
  pool,
  databaseUrl,
  kafkaBrokers,
  topicPrefix,
}: TrailOptions): Promise<TrailReader> {
  await migrateReadModels(databaseUrl);
  await createTrailTable(pool);
  const bus = createKafkaBus({ brokers: [kafkaBrokers], clientId: 'trail', logger, topicPrefix });
  const stopping = new AbortController();
  const running = runProjections({ projections: [trail], log, bus, pool, logger, signal: stopping.signal });
  await until('the projection to follow the bus', async () => {
    const { rowCount } = await pool.query('select from read_models.progress where projection = $1 limit 1', ['trail']);
    return rowCount === 1;
  });

  const read = async (expected: ReadonlyMap<string, readonly string[]>): Promise<Map<string, readonly string[]>> => {
    const byId = await readTrails(pool);
    const streams = [...expected.keys()];
    const types = new Map(streams.map((stream) => [stream.slice(-36), stream.slice(0, -37)]));
    return new Map([...byId].map(([id, ids]) => [streamName(types.get(id) ?? 'unknown', id), ids]));
  };
  return {
    seen: async (expected) => {
      const all = [...expected.values()].reduce((sum, ids) => sum + ids.length, 0);
      const isWhole = async (): Promise<boolean> => {
        const { rows } = await pool.query<{ seen: string }>(
          'select coalesce(sum(cardinality(trail)), 0) as seen from read_models.trail_v1',
        );
        return Number(rows[0]!.seen) >= all;
      };
      // What never comes, the comparison tells.
      await until('the projection to see all', isWhole, PATIENCE_SECONDS).catch(() => undefined);
      return read(expected);
    },
    stop: async () => {
      stopping.abort();
      await running;
      await bus.close();
    },
  };
}
