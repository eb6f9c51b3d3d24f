import { untilTrue } from '@workledger/infra/testing/processes/until.ts';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createKafkaBus } from '@workledger/shared/event-bus/kafka/kafka-bus.ts';
import { createHealth } from '@workledger/shared/http/health.ts';
import { createDatabasePool } from '@workledger/shared/resilience/database-pool.ts';
import { createOutages } from '@workledger/shared/resilience/outages/outages.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { startProxy } from '@workledger/infra/testing/servers/database-proxy.ts';
import { checkPool } from '@workledger/shared/service/open.ts';
import { createEntrance } from '@workledger/shared/service/run-service.ts';
import { startServer } from '@workledger/shared/http/server.ts';
import { runRelay } from './run-relay.ts';
import { createRecordingBus } from './testing/recording-bus.ts';
import { openRelayTest, type RelayTest } from './testing/relay-test.ts';

let test: RelayTest;
beforeEach(async () => {
  test = await openRelayTest();
});
afterEach(() => test.close());

/** What its operator reads, server by server. */
const told = (lines: Record<string, unknown>[]): unknown[] =>
  lines.flatMap(({ level, msg }) => (level === 'debug' || msg === 'this relay leads' ? [] : [msg]));

it('while Kafka is away, the relay, its bus and its health say so with one voice', async () => {
  const captured = captureLog();
  const { logger } = captured;
  const outages = createOutages(logger);
  // Nobody listens there.
  const bus = createKafkaBus({ brokers: ['127.0.0.1:1'], clientId: 'test', logger, outages, publishTimeout: 500 });
  const health = createHealth({ logger, outages, checks: { kafka: () => bus.check() } });
  const entrance = createEntrance({ health: health.routes, title: 'test', logger });
  const server = await startServer(entrance.listener, { host: '127.0.0.1', port: 0 });
  await test.fill({ streams: 3, events: 10 });
  const stopping = new AbortController();
  const relay = runRelay({ log: test.log, bus, pool: test.database.pool, logger, outages, signal: stopping.signal });
  const failures = () => captured.lines().filter(({ msg }) => msg === 'still waiting for kafka').length;
  await untilTrue(async () => {
    expect((await fetch(`${server.url}/health`)).status).toBe(503);
    return failures() >= 5;
  });
  stopping.abort();
  await relay;
  await server.stop(0);
  await bus.close();
  expect(told(captured.lines())).toEqual(['kafka is away: waiting for it']);
});

it('while PostgreSQL is away, all of them say so with one voice, and once that it is back', async () => {
  const captured = captureLog();
  const { logger } = captured;
  const outages = createOutages(logger);
  const proxy = await startProxy(test.database.url);
  const options = { connectionString: proxy.url, max: 4, applicationName: 'relay-under-test', queryTimeout: 2_500 };
  const pool = createDatabasePool({ ...options, outages });
  const checks = { postgresql: () => checkPool(pool) };
  const health = createHealth({ logger, outages, checks });
  const entrance = createEntrance({ health: health.routes, title: 'test', logger });
  const server = await startServer(entrance.listener, { host: '127.0.0.1', port: 0 });
  const bus = createRecordingBus();
  const stopping = new AbortController();
  const relay = runRelay({ log: test.log, bus, pool, logger, outages, signal: stopping.signal });
  await test.fill({ streams: 1, events: 1 });
  await untilTrue(() => bus.events().length === 1);
  await proxy.shut();
  const failures = () => captured.lines().filter(({ msg }) => msg === 'still waiting for postgresql').length;
  await untilTrue(async () => {
    await fetch(`${server.url}/health`);
    return failures() >= 10;
  });
  await proxy.open();
  await untilTrue(() => captured.lines().some(({ msg }) => msg === 'postgresql is back'));
  stopping.abort();
  await relay;
  await server.stop(0);
  await pool.end();
  await proxy.close();
  const servers = told(captured.lines()).filter((message) => !String(message).includes('relay leads'));
  expect(servers).toEqual(['postgresql is away: waiting for it', 'postgresql is back']);
});
