import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encode } from '@workledger/shared/events/codec.ts';
import type { DomainEvent } from '@workledger/shared/contexts/define-events.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { createInProcessBus } from '@workledger/shared/event-bus/in-process/in-process-bus.ts';
import type { EventBus } from '@workledger/shared/event-bus/port.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { migrateReadModels } from '../migrations.ts';
import { tasks } from '../tasks/projection.ts';
import { silent, untilHolds } from '../testing/engine.ts';
import { createdTask, retitled } from '@workledger/infra/testing/events/task-events.ts';
import type { Projection } from './projection.ts';
import { runProjections } from './run-projections.ts';

let database: TestDatabase;
let log: EventLog;
let bus: EventBus;

beforeAll(async () => {
  database = await createTestDatabase();
  log = await createPostgresEventLog({ connectionString: database.url });
  bus = createInProcessBus(log);
  await migrateReadModels(database.url);
});

afterAll(async () => {
  await bus.close();
  await log.close();
  await database.drop();
});

/** Each test has its own progress and continuity: a version nobody else uses, over the same table. */
let version = 100;
let projection: Projection;
beforeEach(async () => {
  version++;
  projection = { ...tasks, version };
  await database.pool.query(`create table read_models.tasks_v${version} (like read_models.tasks_v1 including all)`);
});

async function append(stream: string, from: number, ...events: DomainEvent[]): Promise<void> {
  const metadata = {
    correlationId: newId(),
    causationId: null,
    commandId: newId(),
    commandHash: '0',
    actor: 'system',
    traceparent: null,
  };
  await log.append(stream, encode(stream, events, metadata), from === 0 ? 'none' : from - 1);
}

async function whileRunning(
  work: () => Promise<void>,
  running: Projection = projection,
  ownBus: EventBus = bus,
): Promise<void> {
  const abort = new AbortController();
  const run = runProjections({
    projections: [running],
    log,
    bus: ownBus,
    pool: database.pool,
    signal: abort.signal,
    logger: silent,
  });
  try {
    await work();
  } finally {
    abort.abort();
    await run;
  }
}

type Seen = { title: string; revision: number };
const row = async (stream: string): Promise<Seen | undefined> => {
  const { rows } = await database.pool.query<Seen>(
    `select title, revision from read_models.tasks_v${version} where id = $1`,
    [stream.slice('task-'.length)],
  );
  return rows[0];
};

describe('a running projection', () => {
  it('goes back to the log when it follows another topic under the same version', async () => {
    const stream = streamName('task', newId());
    await append(stream, 0, createdTask({}));
    await whileRunning(() => untilHolds(async () => expect((await row(stream))?.revision).toBe(0)));
    // As if the topic had not been followed before; rows that were there before the change.
    await database.pool.query('delete from read_models.progress where version = $1 and partition >= 6', [version]);
    await append(stream, 1, retitled('of a partition without progress'));
    await whileRunning(async () => {
      await untilHolds(async () => expect((await row(stream))?.revision).toBe(1));
      const later = streamName('task', newId());
      await append(later, 0, createdTask({ title: 'later' }));
      await untilHolds(async () => expect((await row(later))?.title).toBe('later'));
    });
  });

  it('catches up from the log, then follows what comes', async () => {
    const before = streamName('task', newId());
    await append(before, 0, createdTask({ title: 'before' }), retitled('before, changed'));
    await whileRunning(async () => {
      await untilHolds(async () => expect(await row(before)).toEqual({ title: 'before, changed', revision: 1 }));
      const live = streamName('task', newId());
      await append(live, 0, createdTask({ title: 'live' }));
      await append(before, 2, retitled('both'));
      await untilHolds(async () => expect(await row(live)).toEqual({ title: 'live', revision: 0 }));
      await untilHolds(async () => expect(await row(before)).toEqual({ title: 'both', revision: 2 }));
    });
  });

  it('goes on after a stop with what came meanwhile', async () => {
    const stream = streamName('task', newId());
    await append(stream, 0, createdTask({}));
    await whileRunning(() => untilHolds(async () => expect((await row(stream))?.revision).toBe(0)));
    await append(stream, 1, retitled('while nobody looked'));
    await whileRunning(() =>
      untilHolds(async () => expect(await row(stream)).toEqual({ title: 'while nobody looked', revision: 1 })),
    );
  });

  it('applies everything once when two workers start at the same time', async () => {
    const streams = Array.from({ length: 40 }, () => streamName('task', newId()));
    for (const stream of streams) await append(stream, 0, createdTask({}), retitled('a'), retitled('b'));
    const counted: Projection = { ...projection, fold: (old, event, id) => counting(tasks.fold(old, event, id), old) };
    await whileRunning(async () => {
      await whileRunning(
        async () => {
          for (const stream of streams) await append(stream, 3, retitled('c'));
          for (const stream of streams)
            await untilHolds(async () => expect(await row(stream)).toEqual({ title: 'c', revision: 3 }));
        },
        counted,
        createInProcessBus(log),
      );
    }, counted);
    const { rows } = await database.pool.query<{ attempts: number }>(
      `select attempts from read_models.tasks_v${version} where id = any($1)`,
      [streams.map((stream) => stream.slice('task-'.length))],
    );
    expect(rows.map(({ attempts }) => attempts)).toEqual(streams.map(() => 4));
  });

  it('parks a stream whose fold throws; other streams go on, and its later events wait', async () => {
    const poisoned = streamName('task', newId());
    const healthy = streamName('task', newId());
    const fragile: Projection = {
      ...projection,
      fold: (old, event, id) => {
        if (JSON.stringify(event.data).includes('poison')) throw new Error('cannot digest this');
        return tasks.fold(old, event, id);
      },
    };
    await append(poisoned, 0, createdTask({ title: 'fine' }), retitled('poison'), retitled('later'));
    await append(healthy, 0, createdTask({}), retitled('well'));
    await whileRunning(async () => {
      await untilHolds(async () => expect((await row(healthy))?.revision).toBe(1));
      await untilHolds(async () => expect(await parked(poisoned)).toMatchObject({ revision: 0, parked_revision: 1 }));
    }, fragile);
    expect(await row(poisoned)).toEqual({ title: 'fine', revision: 0 });
    expect((await parked(poisoned))?.reason).toContain('cannot digest this');
  });

  it('parks a stream whose row does not fit the table; other streams of the batch go on', async () => {
    const [unfit, fit] = [streamName('task', newId()), streamName('task', newId())];
    const wrong: Projection = {
      ...projection,
      fold: (old, event, id) => {
        const next = tasks.fold(old, event, id);
        return event.stream === unfit && event.revision === 1 ? ({ ...next, attempts: 2 ** 40 } as typeof next) : next;
      },
    };
    await append(unfit, 0, createdTask({ title: 'fine' }), retitled('too large'));
    await append(fit, 0, createdTask({}), retitled('fits'));
    await whileRunning(async () => {
      await untilHolds(async () => expect(await row(fit)).toEqual({ title: 'fits', revision: 1 }));
      await untilHolds(async () => expect((await parked(unfit))?.reason).toContain('out of range'));
    }, wrong);
    expect(await row(unfit)).toEqual({ title: 'fine', revision: 0 });
  });
});

const counting = <Row>(next: Row, old: unknown): Row => {
  const seen = (old as { attempts?: number } | undefined)?.attempts ?? 0;
  return { ...next, attempts: seen + 1 };
};

type Mark = { revision: number; parked_revision: number | null; reason: string | null };
const parked = async (stream: string): Promise<Mark | undefined> => {
  const { rows } = await database.pool.query<Mark>(
    'select revision, parked_revision, reason from read_models.streams where version = $1 and stream = $2',
    [version, stream],
  );
  return rows[0];
};
