import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createHandler } from '@workledger/shared/aggregate/handle.ts';
import type { Snapshot, SnapshotStore } from '@workledger/shared/aggregate/snapshots.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { waitsFor } from '@workledger/shared/contexts/task/dependencies/state.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { plantClaims, plantEdges } from '@workledger/infra/testing/events/plant.ts';
import { agent } from '../domain/agent.ts';
import { dependencies } from '../domain/dependencies.ts';
import { createPostgresSnapshots } from './snapshots.ts';
import { ask, claim, create, register, startWriteSide, type WriteSide } from './testing.ts';

const CLAIMS = 10_000;
const EVENTS = 1 + 2 * CLAIMS;

let side: WriteSide;
let agentId: string;
let kept: Snapshot;
const snapshots = (): SnapshotStore => createPostgresSnapshots(side.database.pool);

beforeAll(async () => {
  side = await startWriteSide();
  agentId = await register(side);
  await plantClaims(side.database.pool, agentId, CLAIMS);
  const { handle } = coldStart();
  await handle.load(agentId);
  kept = await vi.waitUntil(() => snapshots().read(streamName('agent', agentId)));
});
afterAll(() => side.close());
beforeEach(() => snapshots().write(kept));

/** A handler that knows nothing yet, how many events it reads, and the snapshots that it writes. */
function coldStart(store: SnapshotStore = snapshots(), more: Partial<{ log: EventLog; now: () => number }> = {}) {
  const { log = side.log, now = Date.now } = more;
  const seen = { events: 0, written: [] as Snapshot[], failures: [] as unknown[] };
  const counting: EventLog = {
    ...log,
    async *readStream(...parameters) {
      for await (const event of log.readStream(...parameters)) {
        seen.events++;
        yield event;
      }
    },
  };
  const noting: SnapshotStore = {
    read: store.read,
    write: async (snapshot) => {
      await store.write(snapshot);
      seen.written.push(snapshot);
    },
  };
  const options = { snapshots: { store: noting, onFailed: (error: unknown) => seen.failures.push(error) }, now };
  return {
    seen,
    handle: createHandler(counting, agent, options),
    edges: createHandler(counting, dependencies, options),
  };
}

const caller = () => ({ actor: 'system', correlationId: newId() });
const reserve = (handle: ReturnType<typeof coldStart>['handle']) =>
  handle.handle(agentId, { type: 'agent.reserve', data: { claimId: newId(), taskId: newId() } }, caller());

describe(`an agent with ${CLAIMS} claims behind it`, () => {
  it('is read from its snapshot after a cold start: a first page, and the tail', async () => {
    const { handle, seen } = coldStart();
    const { revision, state } = await handle.load(agentId);
    expect(revision).toBeGreaterThanOrEqual(EVENTS - 1);
    expect(state.registration?.name).toBe('worker');
    expect(seen.events).toBeLessThan(110);
    await reserve(handle);
    expect(seen.events).toBeLessThan(110);
  });

  it('a snapshot holds the state and no old command', () => {
    expect(kept).toMatchObject({ version: 2, revision: EVENTS - 1 });
    expect((JSON.parse(kept.body) as { commands: { recent: [] } }).commands.recent).toEqual([]);
    expect(kept.body.length).toBeLessThan(1_000);
  });

  const otherBody = (): Snapshot => ({ ...kept, body: kept.body.replace('"connected":true', '"connected":false') });
  it.each<[string, () => SnapshotStore | Promise<SnapshotStore>]>([
    ['lost', () => side.database.pool.query('delete from command_service.snapshots').then(snapshots)],
    ['damaged', () => holding(otherBody())],
    ['cut short', () => holding({ ...kept, body: kept.body.slice(0, 50) })],
    ['of another version of the fold', () => holding({ ...kept, version: kept.version + 1 })],
    ['ahead of the log', () => holding({ ...kept, revision: kept.revision + 100_000 })],
    ['of another log', () => holding({ ...kept, eventId: newId() })],
  ])('one that is %s is ignored, and replaced', async (_, store) => {
    const { handle, seen } = coldStart(await store());
    const { state, revision } = await handle.load(agentId);
    expect(state.connected).toBe(true);
    expect(seen.events).toBeGreaterThan(EVENTS);
    await vi.waitUntil(() => seen.written.length > 0);
    expect(seen.written).toMatchObject([{ revision, version: 2 }]);
    const next = coldStart();
    expect((await next.handle.load(agentId)).state).toEqual(state);
    expect(next.seen.events).toBeLessThan(110);
  });

  const holding = (snapshot: Snapshot): SnapshotStore => ({ ...snapshots(), read: () => Promise.resolve(snapshot) });

  it('a store that fails costs nothing, and is told once', async () => {
    const away = (): Promise<never> => Promise.reject(new Error('away'));
    const { handle, seen } = coldStart({ read: away, write: away });
    await reserve(handle);
    await new Promise(setImmediate);
    await reserve(handle);
    expect(seen.failures).toMatchObject([{ message: 'away' }]);
  });

  it('one is written after 500 events more, and one at a time', async () => {
    const releases: (() => void)[] = [];
    const slow = { ...snapshots(), write: () => new Promise<void>((resolve) => releases.push(resolve)) };
    const { handle, seen } = coldStart(slow);
    const growTo = async (revision: number): Promise<void> => {
      const before = (await handle.load(agentId)).revision;
      await plantClaims(side.database.pool, agentId, Math.ceil((revision - before) / 2), before + 1);
      await handle.load(agentId);
      await new Promise(setImmediate);
    };
    await growTo(kept.revision + 498);
    expect(releases).toHaveLength(0);
    await growTo(kept.revision + 501);
    expect(releases).toHaveLength(1);
    await growTo(kept.revision + 1_500);
    expect(releases).toHaveLength(1);
    releases[0]?.();
    await vi.waitUntil(() => seen.written.length > 0);
    expect(seen.written[0]?.revision).toBeLessThan(kept.revision + 510);
    await handle.load(agentId);
    await vi.waitUntil(() => releases.length > 1);
  });
});

it('a command is remembered through a snapshot, to the end of the window', async () => {
  const id = await register(side);
  const commandId = newId();
  const taskId = newId();
  const first = coldStart();
  const reserving = { type: 'agent.reserve', data: { claimId: newId(), taskId } } as const;
  const answer = await first.handle.handle(id, reserving, { ...caller(), commandId });
  await first.handle.handle(
    id,
    { type: 'agent.release', data: { claimId: reserving.data.claimId, reason: '' } },
    caller(),
  );
  await plantClaims(side.database.pool, id, 300, 3);
  await first.handle.load(id);
  await vi.waitUntil(() => first.seen.written.length > 0);

  const again = coldStart();
  expect(await again.handle.handle(id, reserving, { ...caller(), commandId })).toEqual(answer);
  expect(again.seen.events).toBeLessThan(110);

  const late = coldStart(snapshots(), { now: () => Date.now() + 7 * 86_400_000 });
  expect((await late.handle.handle(id, reserving, { ...caller(), commandId })).revision).toBe(603);
  const eventIds: string[] = [];
  for await (const event of side.log.readStream(streamName('agent', id)))
    if (event.metadata.commandId === commandId) eventIds.push(event.id);
  expect(new Set(eventIds).size).toBe(2);
});

it('a repository with 20,000 edges is read from its snapshot, and answers the same', async () => {
  const id = newId();
  const tasks = await plantEdges(side.database.pool, id, 20_000);
  const first = coldStart();
  const { state } = await first.edges.load(id);
  await vi.waitUntil(() => first.seen.written.length > 0);
  const cold = coldStart();
  const { state: again } = await cold.edges.load(id);
  expect(cold.seen.events).toBeLessThan(110);
  for (const task of tasks.slice(0, 20)) expect(waitsFor(again, task)).toEqual(waitsFor(state, task));
  expect(waitsFor(again, tasks[0] ?? '')).toHaveLength(1);
});

it('the write side keeps snapshots by itself, and goes on from them after a restart', async () => {
  const worker = await register(side);
  await plantClaims(side.database.pool, worker, 1_000);
  await claim(side, await create(side), worker);
  await vi.waitUntil(() => snapshots().read(streamName('agent', worker)));
  let read = 0;
  const restarted = await side.another({}, (log) => ({
    ...log,
    async *readStream(stream, options) {
      for await (const event of log.readStream(stream, options)) {
        if (stream === streamName('agent', worker)) read++;
        yield event;
      }
    },
  }));
  await ask({ commands: restarted }, 'agent.report-error', worker, { message: 'tired' });
  expect(read).toBeLessThan(110);
});
