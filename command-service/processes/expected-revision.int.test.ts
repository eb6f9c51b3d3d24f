import { dependenciesStream } from '@workledger/shared/contexts/task/dependencies/events.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claim, create, register, ask, eventsOf, expectRefused, startWriteSide, type WriteSide } from './testing.ts';

let side: WriteSide;
beforeAll(async () => {
  side = await startWriteSide();
});
afterAll(() => side.close());

const STALE = { expectedRevision: 7 };

async function expectNothingAppended(send: () => Promise<unknown>, current: number): Promise<void> {
  const before = await side.log.head();
  await expectRefused(send(), 'revision-mismatch', { expected: 7, current });
  expect(await side.log.head()).toBe(before);
}

describe('a stale If-Match appends nothing', () => {
  it('when a task is expanded', async () => {
    const subtasks = [{ title: 'one' }, { title: 'two' }];
    const taskId = await create(side);
    await expectNothingAppended(() => ask(side, 'task.expand', taskId, { subtasks }, STALE), 0);
  });

  it('when a task with dependencies is created, which does not exist yet', async () => {
    const data = { title: 'x', repository: 'sample', dependencies: [await create(side)] };
    await expectNothingAppended(() => ask(side, 'task.create', newId(), data, STALE), -1);
    await expect(ask(side, 'task.create', newId(), { title: 'x' }, STALE)).rejects.toThrow('does not exist');
  });

  it('when the next task is claimed', async () => {
    side.hints.push({ taskId: await create(side) });
    const agentId = await register(side);
    await expectNothingAppended(() => ask(side, 'agent.claim-next', agentId, {}, STALE), 0);
    const keyed = { expectedRevision: 0, commandId: newId() };
    const answer = await ask(side, 'agent.claim-next', agentId, {}, keyed);
    expect(answer.details).toHaveProperty('claimId');
    expect(await ask(side, 'agent.claim-next', agentId, {}, keyed)).toEqual(answer);
  });

  it('when a lease is renewed, which is not renewed then', async () => {
    const [taskId, agentId] = [await create(side), await register(side)];
    const claimId = await claim(side, taskId, agentId);
    await ask(side, 'agent.disconnect', agentId, { lastBeatAt: null });
    await expectNothingAppended(() => ask(side, 'task.renew', taskId, { claimId }, STALE), 1);
    expect(await side.commands.heartbeats.lastBeat(`claim:${claimId}`)).toBeNull();
    await ask(side, 'task.renew', taskId, { claimId }, { expectedRevision: 1 });
    expect(await side.commands.heartbeats.lastBeat(`claim:${claimId}`)).not.toBeNull();
  });
});

it('a changed dependency answers the revision of the task, fit for the next If-Match, and a token of the edges', async () => {
  const [a, b] = [await create(side), await create(side)];
  for (const type of ['task.add-dependency', 'task.remove-dependency']) {
    const answer = await ask(side, type, a, { dependsOn: b }, { expectedRevision: 0 });
    const edges = dependenciesStream('sample');
    const edge = (await eventsOf(side.log, edges)).at(-1);
    expect(answer).toMatchObject({ id: a, stream: `task-${a}`, revision: 0, token: `${edges}@${edge?.revision}` });
  }
  await ask(side, 'task.change', a, { priority: 1 }, { expectedRevision: 0 });
});
