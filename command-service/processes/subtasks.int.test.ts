import { derivedId, newId } from '@workledger/shared/contexts/stream.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  complete,
  create,
  register,
  ask,
  eventsOf,
  expectRefused,
  startWriteSide,
  typesOf,
  type WriteSide,
} from './testing.ts';

let side: WriteSide;
beforeAll(async () => {
  side = await startWriteSide();
});
afterAll(() => side.close());

async function expand(taskId: string): Promise<readonly [string, string]> {
  const { details } = await ask(side, 'task.expand', taskId, { subtasks: [{ title: 'one' }, { title: 'two' }] });
  return details['subtasks'] as [string, string];
}
const lastOf = async (taskId: string) => (await typesOf(side.log, `task-${taskId}`)).at(-1);

it('cancelling a task cancels its subtasks at any depth, but not those that are complete; a repeat answers the same', async () => {
  const whole = await create(side);
  const [done, part] = await expand(whole);
  const pieces = await expand(part);
  await complete(side, done, await register(side));
  const commandId = newId();
  const answer = await ask(side, 'task.cancel', whole, {}, { commandId });
  expect(await Promise.all([whole, part, ...pieces, done].map(lastOf))).toEqual([
    ...Array.from({ length: 4 }, () => 'TaskCancelled'),
    'TaskCompleted',
  ]);
  expect(answer.token.split(',')).toHaveLength(4);
  const before = await side.log.head();
  expect(await ask({ commands: await side.another() }, 'task.cancel', whole, {}, { commandId })).toEqual(answer);
  expect(await side.log.head()).toBe(before);
});

it('a process killed after the parent was cancelled: the repeat cancels the subtasks', async () => {
  const whole = await create(side);
  const subtasks = await expand(whole);
  const dying = await side.another({}, (log) => ({
    ...log,
    append: (stream, events, expected) =>
      stream === `task-${whole}` ? log.append(stream, events, expected) : Promise.reject(new Error('killed')),
  }));
  const commandId = newId();
  await expect(ask({ commands: dying }, 'task.cancel', whole, {}, { commandId })).rejects.toThrow('killed');
  await ask(side, 'task.cancel', whole, {}, { commandId });
  expect(await Promise.all(subtasks.map(lastOf))).toEqual(['TaskCancelled', 'TaskCancelled']);
});

it('a parent completes when its last subtask is cancelled and another is complete', async () => {
  const whole = await create(side);
  const [one, two] = await expand(whole);
  await complete(side, one, await register(side));
  await ask(side, 'task.cancel', two);
  expect(await lastOf(whole)).toBe('TaskCompleted');
});

it('a parent completes when its last subtask is complete and the others were cancelled before', async () => {
  const whole = await create(side);
  const [one, two] = await expand(whole);
  await ask(side, 'task.cancel', two);
  expect(await lastOf(whole)).toBe('TaskExpanded');
  await complete(side, one, await register(side));
  await ask(side, 'task.complete-parent', whole);
  expect(await lastOf(whole)).toBe('TaskCompleted');
});

it('a parent whose subtasks are all cancelled is not complete', async () => {
  const whole = await create(side);
  const subtasks = await expand(whole);
  for (const taskId of subtasks) await ask(side, 'task.cancel', taskId);
  await expectRefused(ask(side, 'task.complete-parent', whole), 'blocked', { waitingFor: [...subtasks] });
});

describe('an expanded task', () => {
  const subtasks = [{ title: 'one' }, { title: 'two', repository: 'other' }];

  it('has its subtasks, cannot be claimed, and completes when they do', async () => {
    const whole = await create(side);
    const parent = await create(side, { parentId: whole });
    const commandId = newId();
    const answer = await ask(side, 'task.expand', parent, { subtasks }, { commandId });
    const [one, two] = (answer.details as { subtasks: [string, string] }).subtasks;
    expect(await ask({ commands: await side.another() }, 'task.expand', parent, { subtasks }, { commandId })).toEqual(
      answer,
    );
    expect(await eventsOf(side.log, `task-${one}`)).toMatchObject([
      { data: { parentId: parent, repository: 'sample' } },
    ]);
    expect(await eventsOf(side.log, `task-${two}`)).toMatchObject([
      { data: { parentId: parent, repository: 'other' } },
    ]);

    const agentId = await register(side);
    await expectRefused(ask(side, 'task.claim', parent, { agentId }), 'illegal-transition', { expanded: true });
    await complete(side, one, agentId, { costUsd: 0.5, durationMs: 3 });
    await expectRefused(ask(side, 'task.complete-parent', parent), 'blocked', { waitingFor: [two] });
    await complete(side, two, agentId, { costUsd: null, durationMs: 4 });
    await ask(side, 'task.complete-parent', parent);
    expect((await eventsOf(side.log, `task-${parent}`)).at(-1)).toMatchObject({
      type: 'TaskCompleted',
      data: { claimId: null, parentId: whole, result: { costUsd: 0.5, durationMs: 7, merged: false } },
    });
  });

  it('is not half expanded: what cannot be created stops it before anything is written', async () => {
    const parent = await create(side);
    const before = await side.log.head();
    const wrong = [{ title: 'one' }, { title: 'two', dependencies: [newId()] }];
    await expectRefused(ask(side, 'task.expand', parent, { subtasks: wrong }), 'unknown-reference');
    expect(await side.log.head()).toBe(before);
  });

  it('twice at once by two processes: one takes effect, the subtasks of the other are cancelled', async () => {
    const parent = await create(side);
    const both = [side, { commands: await side.another() }];
    const ids = [newId(), newId()];
    const outcomes = await Promise.allSettled(
      both.map((process, index) => ask(process, 'task.expand', parent, { subtasks }, { commandId: ids[index] ?? '' })),
    );
    const winner = outcomes.findIndex(({ status }) => status === 'fulfilled');
    expect(outcomes[1 - winner]).toMatchObject({ reason: { code: 'illegal-transition' } });
    const lost = derivedId('task', ids[1 - winner] ?? '', 'subtask', '0');
    expect([[], ['TaskCreated', 'TaskCancelled']]).toContainEqual(await typesOf(side.log, `task-${lost}`));
    expect(await typesOf(side.log, `task-${parent}`)).toEqual(['TaskCreated', 'TaskExpanded']);
  });
});
