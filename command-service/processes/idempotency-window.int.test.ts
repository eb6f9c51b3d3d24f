import { afterAll, beforeAll, expect, it } from 'vitest';
import { IDEMPOTENCY_WINDOW_SECONDS } from '@workledger/shared/aggregate/command-memory.ts';
import { derivedId, newId } from '@workledger/shared/contexts/stream.ts';
import { dependenciesStream } from '@workledger/shared/contexts/task/dependencies/events.ts';
import { ask, create, eventsOf, expectRefused, register, startWriteSide, typesOf, type WriteSide } from './testing.ts';

/** The write side as it is now, and after a restart in the last minute of the window, and after that minute. */
let side: WriteSide;
let within: Pick<WriteSide, 'commands'>;
let after: Pick<WriteSide, 'commands'>;

beforeAll(async () => {
  side = await startWriteSide();
  const later = async (seconds: number) => ({
    commands: await side.another({}, undefined, () => Date.now() + seconds * 1_000),
  });
  within = await later(IDEMPOTENCY_WINDOW_SECONDS - 60);
  after = await later(IDEMPOTENCY_WINDOW_SECONDS);
});
afterAll(() => side.close());

const creation = { title: 'Make it fast', repository: 'sample' };

it('a command that is repeated within the window answers the same; after it, it is a new command', async () => {
  const taskId = await create(side);
  const commandId = newId();
  const first = await ask(side, 'task.change', taskId, { priority: 1 }, { commandId });
  await ask(side, 'task.change', taskId, { priority: 2 });
  expect(await ask(within, 'task.change', taskId, { priority: 1 }, { commandId })).toEqual(first);
  await expectRefused(ask(within, 'task.change', taskId, { priority: 4 }, { commandId }), 'idempotency-key-reused');

  expect(await ask(after, 'task.change', taskId, { priority: 1 }, { commandId })).toMatchObject({ revision: 3 });
  const events = await eventsOf(side.log, first.stream);
  expect(events.map(({ type }) => type)).toEqual(['TaskCreated', ...Array(3).fill('TaskDetailsChanged')]);
  expect(new Set(events.map(({ id }) => id)).size).toBe(4);
});

it('two processes that repeat it at once after the window carry it out once', async () => {
  const taskId = await create(side);
  const commandId = newId();
  await ask(side, 'task.change', taskId, { priority: 1 }, { commandId });
  await ask(side, 'task.change', taskId, { priority: 2 });
  // What is appended now has the clock of the log, so to them it would soon be as old: they stand right behind the first two.
  const old = (await eventsOf(side.log, `task-${taskId}`)).at(-1)?.recordedAt.getTime() ?? 0;
  const justAfter = () => old + IDEMPOTENCY_WINDOW_SECONDS * 1_000 + 1;
  const both = [await side.another({}, undefined, justAfter), await side.another({}, undefined, justAfter)];
  const answers = await Promise.all(
    both.map((commands) => ask({ commands }, 'task.change', taskId, { priority: 1 }, { commandId })),
  );
  expect(answers.map(({ revision }) => revision)).toEqual([3, 3]);
  expect(await typesOf(side.log, `task-${taskId}`)).toHaveLength(4);
});

it('a creation is remembered for ever, and does not bring back edges that were removed since', async () => {
  const repository = 'other';
  const needed = await create(side, { repository });
  const commandId = newId();
  const taskId = derivedId('task', commandId);
  const data = { ...creation, repository, dependencies: [needed] };
  const first = await ask(side, 'task.create', taskId, data, { commandId });
  expect(await ask(within, 'task.create', taskId, data, { commandId })).toEqual(first);
  await ask(side, 'task.remove-dependency', taskId, { dependsOn: needed });

  const { token: _ofTheEdges, ...receipt } = first;
  expect(await ask(after, 'task.create', taskId, data, { commandId })).toMatchObject(receipt);
  await expectRefused(
    ask(after, 'task.create', taskId, { ...data, title: 'Another' }, { commandId }),
    'idempotency-key-reused',
  );
  expect(await typesOf(side.log, `task-${taskId}`)).toEqual(['TaskCreated']);
  expect(await typesOf(side.log, dependenciesStream(repository))).toEqual(['DependencyAdded', 'DependencyRemoved']);
});

it.each(['task.claim', 'agent.claim-next'])(
  '%s is a first attempt after the window, under another claim',
  async (type) => {
    const agentId = await register(side);
    const taskId = await create(side);
    side.hints.splice(0, Infinity, { taskId });
    const [target, data] = type === 'task.claim' ? [taskId, { agentId }] : [agentId, {}];
    const context = { commandId: newId() };
    const first = await ask(side, type, target, data, context);
    expect(await ask(within, type, target, data, context)).toEqual(first);

    const { claimId } = first.details as { claimId: string };
    await ask(side, 'task.release', taskId, { claimId, reason: 'later' });
    await ask(side, 'agent.release', agentId, { claimId, reason: 'later' });
    const second = await ask(after, type, target, data, context);
    expect(second.details).toMatchObject({ taskId });
    expect(second.details['claimId']).not.toBe(claimId);
    expect(await typesOf(side.log, `agent-${agentId}`)).toEqual([
      'AgentRegistered',
      'AgentReserved',
      'AgentReleased',
      'AgentReserved',
    ]);
    expect((await typesOf(side.log, `task-${taskId}`)).filter((name) => name === 'TaskClaimed')).toHaveLength(2);
  },
);

it('cancelling with subtasks is done anew after the window', async () => {
  const taskId = await create(side);
  const { details } = await ask(side, 'task.expand', taskId, { subtasks: [creation, creation] });
  const [subtask = ''] = details['subtasks'] as string[];
  const context = { commandId: newId() };
  await ask(side, 'task.cancel', taskId, { reason: 'no' }, context);
  await ask(side, 'task.retry', taskId);
  await ask(side, 'task.retry', subtask);
  await ask(within, 'task.cancel', taskId, { reason: 'no' }, context);
  expect((await typesOf(side.log, `task-${subtask}`)).at(-1)).toBe('TaskRetried');
  await ask(after, 'task.cancel', taskId, { reason: 'no' }, context);
  for (const id of [taskId, subtask]) expect((await typesOf(side.log, `task-${id}`)).at(-1)).toBe('TaskCancelled');
});
