import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { createdTask, newTaskStream, retitled } from '@workledger/infra/testing/events/task-events.ts';
import { anyMetadata } from '@workledger/infra/testing/events/any-event.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { untilTrue } from '@workledger/infra/testing/processes/until.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { configurationSchema } from '@workledger/shared/config/schema.ts';
import type { TaskEvent } from '@workledger/shared/contexts/task/task/events.ts';
import { createInProcessBus } from '@workledger/shared/event-bus/in-process/in-process-bus.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { encode } from '@workledger/shared/events/codec.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { createIsolation } from '@workledger/shared/plugins/isolation.ts';
import type { LoadedPlugin } from '@workledger/shared/plugins/load.ts';
import { manifestSchema } from '@workledger/shared/plugins/manifest.ts';
import type { EventHandler } from '@workledger/shared/plugins/plugin.ts';
import { createOutages } from '@workledger/shared/resilience/outages/outages.ts';
import { sagaMigrations } from '../engine/migrations.ts';
import { runHandlers } from './event-handlers.ts';
import { openWays } from './tools.ts';

let database: TestDatabase;
let log: EventLog;
beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url, 'sagas', sagaMigrations);
  log = await createPostgresEventLog({ connectionString: database.url });
});
afterAll(async () => {
  await log.close();
  await database.drop();
});

let number = 0;
let name: string;
beforeEach(() => void (name = `plugin${(number += 1)}`));

async function append(stream: string, event: TaskEvent, expected: 'none' | number): Promise<void> {
  await log.append(stream, encode(stream, [event], anyMetadata()), expected);
}

/** Starts a plugin with these handlers. @returns how it is stopped */
async function start(handlers: Readonly<Record<string, EventHandler>>): Promise<() => Promise<void>> {
  const { logger } = captureLog();
  const manifest = manifestSchema.parse({
    ...{ name, version: '1.0.0', interface: 1, description: '', main: 'plugin.js' },
    provides: { handlers: Object.keys(handlers) },
  });
  const parts = { providers: {}, targets: {}, components: {}, middleware: {}, handlers };
  const isolation = createIsolation(name, logger);
  const entry = { repositories: {} };
  const plugin = { manifest, parts, isolation, folder: '', secrets: {}, entry } as unknown as LoadedPlugin;
  const bus = createInProcessBus(log);
  const stopping = new AbortController();
  const running = runHandlers(plugin, openWays(plugin, configurationSchema.parse({}), log), {
    ...{ log, bus, logger, pool: database.pool, outages: createOutages(logger), components: [] },
    ...{ tries: { most: 3, shortest: 1, longest: 5 }, signal: stopping.signal },
  });
  const stop = async (): Promise<void> => {
    stopping.abort();
    await running;
    await bus.close();
  };
  onTestFinished(stop);
  await untilTrue(async () => {
    const { rows } = await database.pool.query('select from sagas.begun where consumer like $1', [`plugin-${name}-%`]);
    return rows.length === Object.keys(handlers).length;
  });
  return stop;
}

/** An event may come again: what counts is when it came first. */
function once(told: string[], what: string): void {
  if (!told.includes(what)) told.push(what);
}

const hears = (...types: [string, ...string[]]) => {
  const heard: string[] = [];
  const handler: EventHandler = {
    types,
    handle: async ({ type, stream, revision }) => once(heard, `${type} ${stream} ${revision}`),
  };
  return { heard, handler };
};

test('a handler hears each event of its types from its first start on, in order, also what came while it was away', async () => {
  const [before, stream] = [newTaskStream(), newTaskStream()];
  await append(before, createdTask(), 'none');
  const { heard, handler } = hears('TaskCreated', 'TaskDetailsChanged');
  const stop = await start({ ear: handler });
  await append(stream, createdTask(), 'none');
  await append(stream, retitled('One'), 0);
  await untilTrue(() => Promise.resolve(heard.length === 2));
  await stop();
  await append(stream, retitled('Two'), 1);
  await start({ ear: handler });
  await untilTrue(() => Promise.resolve(heard.length === 3));
  expect(heard).toEqual([
    `TaskCreated ${stream} 0`,
    `TaskDetailsChanged ${stream} 1`,
    `TaskDetailsChanged ${stream} 2`,
  ]);
});

test('what it fails at is tried again, then set aside until the next start; it holds up neither what follows nor others', async () => {
  const { heard, handler } = hears('TaskCreated');
  const taken: string[] = [];
  let tries = 0;
  let isBroken = true;
  const stumbling: EventHandler = {
    types: ['TaskCreated'],
    handle: async ({ stream }) => {
      if (isBroken && stream === poison) {
        tries += 1;
        throw new Error('what is this?');
      }
      once(taken, stream);
    },
  };
  const [poison, next] = [newTaskStream(), newTaskStream()];
  const stop = await start({ ear: handler, stumbling });
  await append(poison, createdTask(), 'none');
  await append(next, createdTask(), 'none');
  const aside = async (): Promise<unknown[]> =>
    (
      await database.pool.query('select stream, reason from sagas.plugin_failures where handler like $1', [
        `plugin-${name}-%`,
      ])
    ).rows;
  // They are of different streams, so the one may come before or after the other is set aside.
  await untilTrue(async () => taken.length === 1 && heard.length === 2 && (await aside()).length === 1);
  expect(taken).toEqual([next]);
  expect(tries).toBeGreaterThanOrEqual(3);
  expect(await aside()).toEqual([{ stream: poison, reason: expect.stringMatching(/what is this\?/) }]);
  await stop();
  isBroken = false;
  await start({ ear: handler, stumbling });
  await untilTrue(() => Promise.resolve(taken.length === 2));
  expect(taken).toEqual([next, poison]);
  await untilTrue(async () => (await aside()).length === 0);
  expect(heard).toHaveLength(2);
});
