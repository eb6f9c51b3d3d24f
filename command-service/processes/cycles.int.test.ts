import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { dependenciesStream, type DependenciesEvent } from '@workledger/shared/contexts/task/dependencies/events.ts';
import { countWaiting, dependenciesFold } from '@workledger/shared/contexts/task/dependencies/state.ts';
import { until } from '@workledger/infra/testing/processes/until.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MOST_TASKS } from './cycles.ts';
import { A_PASS } from './submit-and-complete.ts';
import { ask, complete, create, eventsOf, expectRefused, register, startWriteSide, type WriteSide } from './testing.ts';

let side: WriteSide;
beforeAll(async () => {
  side = await startWriteSide();
});
afterAll(() => side.close());

type Planted = { readonly stream: string; readonly revision: number; readonly type: string; readonly data: object };

/** Straight into the table, in one statement. */
async function plant(events: readonly Planted[]): Promise<void> {
  const metadata = { correlationId: newId(), causationId: null, commandHash: '', actor: 'system', traceparent: null };
  const rows = events.map((event) => ({ ...event, id: newId(), metadata: { ...metadata, commandId: newId() } }));
  await side.database.pool.query(
    `insert into event_log.events (position, stream, revision, id, type, version, data, metadata, recorded_at)
     select (select coalesce(max(position), 0) from event_log.events) + row_number() over (),
       event ->> 'stream', (event ->> 'revision')::int, (event ->> 'id')::uuid, event ->> 'type', 1, event -> 'data',
       event -> 'metadata', now() - interval '30 days'
     from json_array_elements($1::json) event`,
    [JSON.stringify(rows)],
  );
}

const taskOf = (taskId: string): Planted => ({
  stream: streamName('task', taskId),
  revision: 0,
  type: 'TaskCreated',
  data: {
    ...{ title: 'old', description: '', priority: 3, labels: [], metadata: {}, capabilities: [], dependencies: [] },
    ...{ repository: 'sample', parentId: null, requester: null, assignee: null, complexity: null },
    source: { kind: 'api', reference: null, url: null },
  },
});
const result = { commit: null, branch: null, merged: false, diffStat: null, metricsBefore: null, metricsAfter: null };
const completionOf = (taskId: string): Planted => ({
  stream: streamName('task', taskId),
  revision: 1,
  type: 'TaskCompleted',
  data: { claimId: null, parentId: null, result: { ...result, costUsd: null, durationMs: 1 } },
});
const newIds = (count: number): readonly string[] => Array.from({ length: count }, newId);

const edges = (repository: string) => eventsOf(side.log, dependenciesStream(repository));
async function plantEdges(pairs: readonly (readonly [string, string])[]): Promise<void> {
  const first = (await edges('sample')).length;
  await plant(
    pairs.map(([taskId, dependsOn], index) => ({
      ...{ stream: dependenciesStream('sample'), revision: first + index, type: 'DependencyAdded' },
      data: { taskId, dependsOn },
    })),
  );
}
const waiting = async (): Promise<number> =>
  countWaiting(
    ((await edges('sample')) as unknown as readonly DependenciesEvent[]).reduce(
      dependenciesFold.evolve,
      dependenciesFold.initial,
    ),
  );

/** A process that counts how often it reads the stream of a task, and how many such reads were under way at once. */
async function counting() {
  const counts = { reads: 0, atOnce: 0 };
  let open = 0;
  const commands = await side.another({}, (log) => ({
    ...log,
    async *readStream(stream, options) {
      const isTask = stream.startsWith('task-');
      if (isTask) counts.atOnce = Math.max(counts.atOnce, ++open);
      if (isTask) counts.reads++;
      try {
        yield* log.readStream(stream, options);
      } finally {
        if (isTask) open--;
      }
    },
  }));
  return { commands, counts };
}

it('a dependency, and an expansion whose part waits for who adds it, never both, in two processes at once', async () => {
  const other = { commands: await side.another() };
  const outcomes = await Promise.all(
    Array.from({ length: 12 }, async (_, round) => {
      const [a, b] = [await create(side), await create(side)];
      const add = () => ask(side, 'task.add-dependency', a, { dependsOn: b });
      const expand = () => ask(other, 'task.expand', b, { subtasks: [{ title: 'c', dependencies: [a] }] });
      return Promise.allSettled(round % 2 === 0 ? [add(), expand()] : [expand(), add()]);
    }),
  );
  for (const outcome of outcomes)
    expect(outcome.filter(({ status }) => status === 'rejected')).toMatchObject([
      { reason: { code: 'dependency-cycle' } },
    ]);
});

describe('the look for a cycle', () => {
  it('reads each task once a command, however many ways lead to it, some side by side', async () => {
    const [first, second] = [newIds(30), newIds(30)];
    const from = newId();
    await plant([from, ...first, ...second].map(taskOf));
    await plantEdges(first.flatMap((one) => second.map((two) => [one, two] as const)));
    const { commands, counts } = await counting();
    const [sub, more] = [
      { title: 'x', dependencies: first },
      { title: 'y', dependencies: first },
    ];
    await ask({ commands }, 'task.expand', from, { subtasks: [sub, more] });
    // Beside the 61: the task itself when it says that it is expanded, and its parts when they are created.
    expect(counts.reads).toBeLessThanOrEqual(1 + 61 + 8);
    expect(counts.reads).toBeGreaterThanOrEqual(61);
    expect(counts.atOnce).toBeGreaterThan(4);
    expect(counts.atOnce).toBeLessThanOrEqual(16);
  });

  it('does not go past what is complete, and drops the edges that it meets there', async () => {
    const [done, ...rest] = newIds(200) as [string, ...string[]];
    const from = await create(side);
    await plant([...[done, ...rest].map(taskOf), completionOf(done)]);
    await plantEdges([done, ...rest].slice(1).map((id, index) => [[done, ...rest][index]!, id] as const));
    await plantEdges([[rest.at(-1)!, from]]);
    const { commands, counts } = await counting();
    await ask({ commands }, 'task.add-dependency', from, { dependsOn: done });
    expect(counts.reads).toBeLessThanOrEqual(4);
    expect((await edges('sample')).slice(-2)).toMatchObject([
      { type: 'DependenciesSettled', data: { taskId: done } },
      { type: 'DependencyAdded', data: { taskId: from, dependsOn: done } },
    ]);
  });

  it('refuses what it would have to read too much for', async () => {
    const [from, wide] = [await create(side), newId()];
    const subtasks = newIds(MOST_TASKS);
    const expanded = { stream: streamName('task', wide), revision: 1, type: 'TaskExpanded', data: { subtasks } };
    await plant([taskOf(wide), expanded]);
    const { commands, counts } = await counting();
    const before = await side.log.head();
    await expectRefused(ask({ commands }, 'task.add-dependency', from, { dependsOn: wide }), 'graph-too-large', {
      limit: MOST_TASKS,
    });
    expect(counts.reads).toBeLessThanOrEqual(3);
    expect(await side.log.head()).toBe(before);
  });
});

describe('edges of tasks that are complete', () => {
  it('are dropped when it completes, and blocked others are free', async () => {
    const [first, second] = [await create(side), await create(side)];
    const agentId = await register(side);
    await ask(side, 'task.add-dependency', second, { dependsOn: first });
    await expectRefused(ask(side, 'task.claim', second, { agentId }), 'blocked', { waitingFor: [first] });
    await complete(side, first, agentId);
    const before = await waiting();
    await complete(side, second, agentId);
    expect(await waiting()).toBe(before - 1);
    expect((await edges('sample')).at(-1)).toMatchObject({ type: 'DependenciesSettled', data: { taskId: second } });
  });

  it('stay where they cannot be dropped, and the task is complete all the same', async () => {
    const [first, second] = [await create(side), await create(side)];
    const agentId = await register(side);
    await ask(side, 'task.add-dependency', second, { dependsOn: first });
    await complete(side, first, agentId);
    const failing = await side.another({}, (log) => ({
      ...log,
      append: (stream, events, expected) =>
        stream === dependenciesStream('sample')
          ? Promise.reject(new Error('killed'))
          : log.append(stream, events, expected),
    }));
    const before = await waiting();
    await complete({ commands: failing }, second, agentId);
    expect(await waiting()).toBe(before);
  });

  it('and of old ones by and by, a bounded look each time that a task completes', async () => {
    const [on, ...owners] = newIds(1_201) as [string, ...string[]];
    await plant([on, ...owners].flatMap((id) => [taskOf(id), completionOf(id)]));
    await plantEdges(owners.map((id) => [id, on] as const));
    const { commands, counts } = await counting();
    const agentId = await register(side);
    let passes = 0;
    for (let before = await waiting(); before > 1_000; before = await waiting()) {
      const task = await create({ commands });
      const readsBefore = counts.reads;
      await complete({ commands }, task, agentId);
      await until('edges to be dropped', async () => (await waiting()) < before, 10);
      expect(before - (await waiting())).toBeLessThanOrEqual(A_PASS);
      expect(counts.reads - readsBefore).toBeLessThanOrEqual(A_PASS + 10);
      passes++;
    }
    expect(passes).toBeGreaterThan(1);
  });
});
