import { afterEach, beforeEach, expect } from 'vitest';
import { newTaskStream } from '@workledger/infra/testing/events/task-events.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { openRedrives, requestRedrive } from '@workledger/shared/consumption/redrives.ts';
import type { DomainEvent } from '@workledger/shared/contexts/define-events.ts';
import { newId, streamId } from '@workledger/shared/contexts/stream.ts';
import { createInProcessBus } from '@workledger/shared/event-bus/in-process/in-process-bus.ts';
import { partitionOf } from '@workledger/shared/event-bus/partition.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { encode } from '@workledger/shared/events/codec.ts';
import type { Projection } from '../engine/projection.ts';
import { differingRows, rebuild } from '../engine/rebuild.ts';
import { runProjections } from '../engine/run-projections.ts';
import { migrateReadModels } from '../migrations.ts';
import { tasks } from '../tasks/projection.ts';
import { untilHolds } from './engine.ts';

/** A title at which the fold throws until it is mended; one with which its row does not fit. */
export const POISON = 'poison';
export const TOO_MUCH = 'too much';
export let database: TestDatabase;
export let log: EventLog;
let isMended: boolean;
/** Where something waits for an update, and why. */
export let waits: Map<string, string>;
export let logged: string[];

/** The tasks, with a fold that cannot digest everything. */
export const fragile: Projection = {
  ...tasks,
  fold: (row, event, id) => {
    const { title } = event.data as { title?: string };
    if (title === POISON && !isMended) throw new Error('cannot digest this');
    const next = tasks.fold(row, event, id);
    return title === TOO_MUCH && !isMended ? ({ ...next, attempts: 2 ** 40 } as typeof next) : next;
  },
};
export const mend = (): void => void (isMended = true);

/** A world of its own for each test of the file. */
export function useFragileWorld(): void {
  beforeEach(async () => {
    [isMended, waits, logged] = [false, new Map(), []];
    database = await createTestDatabase();
    log = await createPostgresEventLog({ connectionString: database.url });
    await migrateReadModels(database.url);
  });
  afterEach(async () => {
    await log.close();
    await database.drop();
  });
}

export const logger = {
  info: (_: object, message: string) => void logged.push(message),
  error: (_: object, message: string) => void logged.push(message),
};

export function start(): () => Promise<void> {
  const stopping = new AbortController();
  const bus = createInProcessBus(log);
  const running = runProjections({
    ...{ projections: [fragile], log, bus, pool: database.pool, signal: stopping.signal, logger },
    onWaiting: (where, reason) => void (reason === null ? waits.delete(where) : waits.set(where, reason)),
  });
  return async () => {
    stopping.abort();
    await running;
    await bus.close();
  };
}

export async function append(stream: string, from: number, ...events: DomainEvent[]): Promise<void> {
  const metadata = { correlationId: newId(), causationId: null, commandId: newId(), commandHash: '0' };
  const encoded = encode(stream, events, { ...metadata, actor: 'system', traceparent: null });
  await log.append(stream, encoded, from === 0 ? 'none' : from - 1);
}

export const select = async <Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> =>
  (await database.pool.query<Row>(text, values)).rows;
export const titleOf = async (stream: string): Promise<string | undefined> =>
  (await select<{ title: string }>('select title from read_models.tasks where id = $1', [streamId(stream)]))[0]?.title;
export const parked = (): Promise<{ stream: string; revision: number; reason: string }[]> =>
  select('select stream, revision, reason from read_models.streams where parked_at is not null order by stream');
export const ask = (stream: string): Promise<void> =>
  requestRedrive(database.pool, 'read_models', { name: 'tasks', stream, key: '' }, 'key:operator');
export const isTried = (): Promise<void> =>
  untilHolds(async () => expect(await openRedrives(database.pool, 'read_models')).toEqual([]));

export async function expectRebuiltEqualsLive(): Promise<void> {
  await rebuild({ projection: fragile, pool: database.pool, schema: 'rebuilt', events: log.readAll() });
  expect(await differingRows(database.pool, fragile, 'rebuilt')).toEqual([]);
}

/** A stream in the same partition of the bus. */
export function neighbourOf(stream: string): string {
  for (;;) {
    const other = newTaskStream();
    if (partitionOf(other) === partitionOf(stream)) return other;
  }
}
