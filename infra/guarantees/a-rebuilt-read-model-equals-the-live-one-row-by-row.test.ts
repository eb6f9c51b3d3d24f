import { projections } from '@workledger/projections/all.ts';
import { interleave } from '@workledger/projections/engine/interleave.ts';
import { differingRows, rebuild } from '@workledger/projections/engine/rebuild.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { createDatabasePool } from '@workledger/shared/resilience/database-pool.ts';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { engines } from '../testing/system/engines.ts';
import type { RunningSystem } from '../testing/system/engine.ts';
import { eventfulDay } from './harness/eventful-day.ts';
import { fillLog } from '../testing/events/fill-log.ts';
import { createGithubSide, REPOSITORY, SENDER, type GithubSide } from '../testing/system/github.ts';
import { makeHistories } from '../testing/events/histories.ts';
import { portEngines } from '../testing/system/ports.ts';
import type { Ports } from '../testing/system/ports/port-engine.ts';
import { createRandom, seeds, type Random } from '../testing/events/random.ts';
import { followed, untilSeen } from './harness/read-models.ts';
import { untilQuiet } from '../testing/system/logs.ts';
import { isFullLength } from '../testing/system/storm.ts';
import { startWorker } from './harness/worker.ts';
import { createWorkshop, type Workshop } from '../testing/repository/workshop.ts';

const REBUILDS = isFullLength ? 3 : 2;

const all = projections.map(({ name }) => name);
/** What an eventful day has something for. */
const ofTheDay = 'tasks dependencies agents evolutions generations validations pipelines deliveries keys'.split(' ');

/**
 * Rebuilds every read model from the log in other interleavings and other batches, and compares it with the live one.
 * @param filled names of those that have rows for certain
 */
async function expectEqual(log: EventLog, pool: Pool, random: Random, filled: readonly string[]): Promise<void> {
  expect(all).toEqual(expect.arrayContaining([...filled]));
  for (const projection of projections) {
    await untilSeen(projection, log, pool);
    const events = await followed(projection, log);
    if (filled.includes(projection.name))
      expect(events.length, `there is something to fold into ${projection.name}`).toBeGreaterThan(0);
    for (let times = 1; times <= REBUILDS; times++) {
      const schema = `rebuilt_${times}`;
      const shuffled = times === 1 ? events : interleave(events, () => random.next());
      await rebuild({ projection, pool, schema, events: shuffled, batch: 1 + random.below(200) });
      expect(await differingRows(pool, projection, schema), `rows of ${projection.name}`).toEqual([]);
    }
  }
}

describe.each(portEngines)('a rebuilt read model equals the live one, $name', (engine) => {
  let ports: Ports;
  beforeAll(async () => {
    ports = await engine.open();
  });
  afterAll(() => ports.close());

  test.each(seeds(1))('over made-up histories of every kind of stream (SEED=%i)', async (seed) => {
    const random = createRandom(seed);
    const worker = startWorker(projections, { ...(await ports.another()), databaseUrl: ports.databaseUrl });
    await fillLog(ports.log, makeHistories(random, 30), random);
    await expectEqual(ports.log, ports.pool, random, all);
    await worker.stop();
  });
});

describe.each(engines)('a rebuilt read model equals the live one after a real day, $name', (engine) => {
  let github: GithubSide;
  let workshop: Workshop;
  let system: RunningSystem;
  let log: EventLog;
  let pool: Pool;
  beforeAll(async () => {
    github = await createGithubSide();
    workshop = await createWorkshop();
    const { repositories = [], agents = [], sandbox } = workshop.settings;
    const known = repositories.map((repository) => ({ ...repository, github: REPOSITORY, trusted: [SENDER] }));
    system = await engine.start({ ...github.settings, sandbox, agents, repositories: known }, { storage: 'shared' });
    log = await system.openLog();
    const connectionString = await system.databaseUrl();
    pool = createDatabasePool({ connectionString, max: 4, applicationName: 'rebuild' });
  });
  afterAll(async () => {
    await log.close();
    await pool.end();
    await system.dispose();
    await workshop.dispose();
    await github.dispose();
  });

  test.each(seeds(1))('whatever the interleaving (SEED=%i)', async (seed) => {
    await eventfulDay(system.client);
    await untilQuiet(log, engine.calmMilliseconds);
    await expectEqual(log, pool, createRandom(seed), ofTheDay);
  });
});
