import { retitled, cancelled, createdTask, newTaskStream } from '@workledger/infra/testing/events/task-events.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import type { DomainEvent } from '@workledger/shared/contexts/define-events.ts';
import { newId, streamId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { WorkflowRunEvent } from '@workledger/shared/contexts/task/workflow-run/events.ts';
import { entryOf } from '@workledger/shared/contexts/task/workflow-run/state.ts';
import { createInProcessBus } from '@workledger/shared/event-bus/in-process/in-process-bus.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { encode } from '@workledger/shared/events/codec.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { createOutages } from '@workledger/shared/resilience/outages/outages.ts';
import pino from 'pino';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { sagaMigrations } from '../../engine/migrations.ts';
import { runWaits } from './run.ts';

type Of<Type extends WorkflowRunEvent['type']> = Extract<WorkflowRunEvent, { type: Type }>['data'];
type Seen = Of<'WorkflowRunEventSeen'>;

let database: TestDatabase;
let log: EventLog;
let told: (Seen & { readonly runId: string })[];

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url, 'sagas', sagaMigrations);
  log = await createPostgresEventLog({ connectionString: database.url });
});
afterAll(async () => {
  await log.close();
  await database.drop();
});
beforeEach(() => {
  told = [];
  const taken = new Set<string>();
  const stopping = new AbortController();
  const logger = pino({ level: 'silent' });
  const bus = createInProcessBus(log);
  const running = runWaits({
    ...{ log, bus, logger, pool: database.pool, outages: createOutages(logger), signal: stopping.signal },
    commands: {
      send: async ({ target, data }) => {
        const seen = { ...(data as Seen), runId: target };
        const entry = `${target}/${entryOf(seen)}`;
        // A run takes the first one.
        if (!taken.has(entry)) {
          taken.add(entry);
          await append(streamName('workflow-run', target), { type: 'WorkflowRunEventSeen', data });
          told.push(seen);
        }
        return { id: target, stream: '', revision: 0, token: '', details: {} };
      },
    },
  });
  onTestFinished(async () => {
    stopping.abort();
    await running;
    await bus.close();
  });
});

async function append(stream: string, ...events: readonly DomainEvent[]): Promise<void> {
  let revision = -1;
  for await (const event of log.readStream(stream, { direction: 'backward', limit: 1 })) revision = event.revision;
  const metadata = { correlationId: newId(), causationId: null, commandId: newId(), commandHash: '', actor: 'system', traceparent: null }; // prettier-ignore
  await log.append(stream, encode(stream, events, metadata), revision < 0 ? 'none' : revision);
}

async function newTask(repository: string | null = null, title = 'x'): Promise<string> {
  const stream = newTaskStream();
  await append(stream, createdTask({ repository, title }));
  return stream;
}

async function begin(): Promise<string> {
  const run = streamName('workflow-run', newId());
  const rights = { role: 'operator' as const, teams: [], repositories: null };
  const definition = { name: 'w', steps: [{ id: 'w', kind: 'wait' }] };
  const of = { workflowId: newId(), parent: null, repository: null, startedBy: 'user:x' };
  await append(run, { type: 'WorkflowRunStarted', data: { ...of, version: 1, definition, inputs: {}, rights } });
  return run;
}

const wait = (run: string, data: Partial<Of<'WorkflowRunWaitBegan'>>): Promise<void> =>
  append(run, {
    type: 'WorkflowRunWaitBegan',
    data: {
      ...{ step: 'w', round: 1, attempt: 1, of: null, where: [], repositories: null },
      ...{ events: ['workledger.task.TaskDetailsChanged', 'workledger.task.TaskCancelled'], ...data },
    },
  });

/** What a run was told, in order: step, round, event and the title that it says. */
const toldOf = (run: string): string[] =>
  told
    .filter(({ runId }) => runId === streamId(run))
    .map(({ step, round, event }) =>
      [step, round, event.type, (event.data as { title?: string }).title ?? ''].join(' ').trim(),
    );
const untilTold = (run: string, count: number): Promise<unknown> =>
  vi.waitUntil(() => toldOf(run).length >= count, { timeout: 30_000, interval: 20 });

test('a step that is taken up again does not take the event again that it took before, but what came since then, also before it was taken up', async () => {
  const [run, task] = [await begin(), await newTask()];
  await wait(run, { of: streamId(task) });
  await append(task, retitled('first'));
  await untilTold(run, 1);
  await append(task, retitled('in between'));
  await append(run, { type: 'WorkflowRunRetried', data: { by: 'user:x', from: ['w'] } });
  await wait(run, { of: streamId(task), round: 2 });
  await untilTold(run, 2);
  await append(run, { type: 'WorkflowRunRetried', data: { by: 'user:x', from: ['w'] } });
  await wait(run, { of: streamId(task), round: 3 });
  await append(task, cancelled);
  await untilTold(run, 3);
  // Another step has not taken any: all since the run began count.
  await wait(run, { of: streamId(task), step: 'other', round: 2 });
  await untilTold(run, 4);
  expect(toldOf(run)).toEqual([
    'w 1 TaskDetailsChanged first',
    'w 2 TaskDetailsChanged in between',
    'w 3 TaskCancelled',
    'other 2 TaskDetailsChanged first',
  ]);
});

test('a run is told the first event since it began that fits, and no other: of the one, with the fields, within the repositories', async () => {
  const before = await newTask('shop', 'wanted');
  await append(before, retitled('wanted'));
  const run = await begin();
  const [shop, other, none] = [await newTask('shop'), await newTask('other'), await newTask(null)];
  const where = [{ field: '/title', equals: 'wanted' }];
  const [limited, any] = [await begin(), await begin()];
  await wait(run, { of: streamId(shop), where });
  await wait(limited, { where, repositories: ['shop'] });
  await wait(any, { where: [{ field: '/title/deep', equals: 'wanted' }] });
  for (const task of [other, none]) await append(task, retitled('wanted'));
  for (const title of ['unwanted', 'wanted']) await append(shop, retitled(title));
  await untilTold(run, 1);
  await untilTold(limited, 1);
  const event = expect.objectContaining({ stream: shop, revision: 2, data: { title: 'wanted' } }) as unknown;
  expect(told.map((seen) => [seen.runId, seen.event])).toEqual(
    expect.arrayContaining([run, limited].map((each) => [streamId(each), event])),
  );
  expect([toldOf(run).length, toldOf(limited).length, toldOf(any)]).toEqual([1, 1, []]);
  const { rows } = await database.pool.query<{ run: string }>('select run_id as run from sagas.workflow_waits');
  expect(rows).toEqual([{ run: streamId(any) }]);
});
