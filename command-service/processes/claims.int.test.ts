import { newId } from '@workledger/shared/contexts/stream.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  claim,
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
beforeEach(() => {
  side.hints.length = 0;
});
afterAll(() => side.close());

/** Claims that the agent holds, by the events of its stream. */
async function reservationsOf(agentId: string): Promise<readonly string[]> {
  const held = new Set<string>();
  for (const { type, data } of await eventsOf(side.log, `agent-${agentId}`)) {
    const { claimId } = data as { claimId: string };
    if (type === 'AgentReserved') held.add(claimId);
    if (type === 'AgentReleased') held.delete(claimId);
  }
  return [...held];
}

describe('claiming a task', () => {
  it('reserves the agent, takes the task, and says under which claim', async () => {
    const [taskId, agentId] = [await create(side), await register(side, { runtime: 'command' })];
    const answer = await ask(side, 'task.claim', taskId, { agentId });
    const [claimId] = await reservationsOf(agentId);
    expect(answer).toMatchObject({
      id: taskId,
      revision: 1,
      token: `task-${taskId}@1,agent-${agentId}@1`,
      details: { claimId, taskId, leaseSeconds: 60 },
    });
    expect((await eventsOf(side.log, `task-${taskId}`)).at(-1)).toMatchObject({
      type: 'TaskClaimed',
      data: { claimId, agentId, runtime: 'command', repository: 'sample', leaseSeconds: 60 },
    });
  });

  it('goes on in the conversation that the task began with', async () => {
    const [taskId, agentId] = [await create(side), await register(side)];
    await ask(side, 'task.claim', taskId, { agentId });
    const [created, claimed] = await eventsOf(side.log, `task-${taskId}`);
    expect(claimed?.metadata.correlationId).toBe(created?.metadata.correlationId);
  });

  it('of a repository that is not in the configuration any more is not possible: it waits, and says so', async () => {
    const [taskId, agentId] = [await create(side), await register(side)];
    const without = { commands: await side.another({ repositories: [{ name: 'other' }] }) };
    await expectRefused(ask(without, 'task.claim', taskId, { agentId }), 'blocked', { repository: 'sample' });
    side.hints.push({ taskId });
    expect((await ask(without, 'agent.claim-next', agentId)).details).toEqual({});
    expect(await reservationsOf(agentId)).toEqual([]);
    expect(await typesOf(side.log, `task-${taskId}`)).toEqual(['TaskCreated']);
    expect((await ask(side, 'agent.claim-next', agentId)).details).toMatchObject({ taskId });
  });

  it('by ten agents in two processes at once: exactly one has it, the others are free', async () => {
    const both = [side, { commands: await side.another() }];
    for (let round = 0; round < 3; round++) {
      const taskId = await create(side);
      const agents = await Promise.all(Array.from({ length: 10 }, () => register(side)));
      const outcomes = await Promise.allSettled(
        agents.map((agentId, index) => ask(both[index % 2] ?? side, 'task.claim', taskId, { agentId })),
      );
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(outcomes.filter(({ status }) => status === 'rejected')).toMatchObject(
        Array.from({ length: 9 }, () => ({ reason: { code: 'illegal-transition' } })),
      );
      expect(await typesOf(side.log, `task-${taskId}`)).toEqual(['TaskCreated', 'TaskClaimed']);
      const held = await Promise.all(agents.map(reservationsOf));
      expect(held.flat()).toHaveLength(1);
    }
  });

  it('by one agent, more tasks at once than it can hold: it has as many as it can', async () => {
    const agentId = await register(side, { capacity: 2 });
    const tasks = await Promise.all(Array.from({ length: 5 }, () => create(side)));
    const both = [side, { commands: await side.another() }];
    const outcomes = await Promise.allSettled(
      tasks.map((taskId, index) => ask(both[index % 2] ?? side, 'task.claim', taskId, { agentId })),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    expect(outcomes.filter(({ status }) => status === 'rejected')).toMatchObject(
      Array.from({ length: 3 }, () => ({ reason: { code: 'no-capacity' } })),
    );
    expect(await reservationsOf(agentId)).toHaveLength(2);
  });

  it('twice under one key answers the same, also after a restart and after the agent was freed', async () => {
    const [taskId, agentId] = [await create(side), await register(side)];
    const commandId = newId();
    const answer = await ask(side, 'task.claim', taskId, { agentId }, { commandId });
    await ask(side, 'agent.release', agentId, { claimId: answer.details['claimId'], reason: 'freed' });
    const later = { commands: await side.another({ leaseSeconds: 5 }) };
    expect(await ask(later, 'task.claim', taskId, { agentId }, { commandId })).toEqual(answer);
    await expectRefused(
      ask(later, 'task.claim', taskId, { agentId: await register(side) }, { commandId }),
      'idempotency-key-reused',
    );
  });

  it('that was refused can be repeated under its key, and then holds a reservation', async () => {
    const [taskId, agentId] = [await create(side), await register(side, { capacity: 1 })];
    const commandId = newId();
    const other = await create(side);
    const otherClaim = await claim(side, other, agentId);
    await expectRefused(ask(side, 'task.claim', taskId, { agentId }, { commandId }), 'no-capacity');
    await ask(side, 'agent.release', agentId, { claimId: otherClaim, reason: 'done' });
    const { details } = await ask(side, 'task.claim', taskId, { agentId }, { commandId });
    expect(await reservationsOf(agentId)).toEqual([details['claimId']]);
  });

  it('is refused while it waits for another task, and possible once that is complete', async () => {
    const first = await create(side);
    const second = await create(side, { dependencies: [first] });
    const agentId = await register(side);
    await expectRefused(ask(side, 'task.claim', second, { agentId }), 'blocked', { waitingFor: [first] });
    await complete(side, first, agentId);
    await claim(side, second, agentId);
  });

  it('is refused to an agent that cannot do it, is not there, or is another than the one who asks', async () => {
    const taskId = await create(side, { capabilities: ['code', 'rust'] });
    const agentId = await register(side);
    await expectRefused(ask(side, 'task.claim', taskId, { agentId }), 'missing-capability', { missing: ['rust'] });
    await expectRefused(ask(side, 'task.claim', taskId, { agentId: newId() }), 'unknown-reference');
    await expectRefused(ask(side, 'task.claim', newId(), { agentId }), 'not-found');
    const actor = `agent:${newId()}`;
    await expectRefused(ask(side, 'task.claim', taskId, { agentId }, { actor }), 'forbidden');
    await expectRefused(ask(side, 'agent.claim-next', agentId, {}, { actor }), 'forbidden');
    expect(await reservationsOf(agentId)).toEqual([]);
  });

  it('without a repository is refused to an agent that is run as a command, and possible for another', async () => {
    const taskId = await create(side, { repository: null });
    const agentId = await register(side, { runtime: 'command' });
    side.hints.push({ taskId });
    await expectRefused(ask(side, 'task.claim', taskId, { agentId }), 'missing-capability', { repository: null });
    expect((await ask(side, 'agent.claim-next', agentId)).details).toEqual({});
    expect(side.wanted.last).toMatchObject({ withRepository: true });
    const remote = await register(side);
    expect((await ask(side, 'agent.claim-next', remote)).details).toMatchObject({ taskId });
    expect(side.wanted.last).toMatchObject({ withRepository: false });
  });

  it('on a stale revision is refused and leaves the agent free', async () => {
    const [taskId, agentId] = [await create(side), await register(side)];
    await ask(side, 'task.change', taskId, { priority: 1 });
    await expectRefused(ask(side, 'task.claim', taskId, { agentId }, { expectedRevision: 0 }), 'revision-mismatch', {
      current: 1,
    });
    expect(await reservationsOf(agentId)).toEqual([]);
  });
});

describe('claiming the next task', () => {
  it('takes the first of the hints that the log allows', async () => {
    const agentId = await register(side);
    const done = await create(side);
    await complete(side, done, agentId);
    const blocked = await create(side, { dependencies: [await create(side)] });
    const beyond = await create(side, { capabilities: ['rust'] });
    const free = await create(side);
    side.hints.push(...[newId(), done, blocked, beyond, free].map((taskId) => ({ taskId })));
    const { details } = await ask(side, 'agent.claim-next', agentId);
    expect(details).toMatchObject({ taskId: free });
    expect(await reservationsOf(agentId)).toEqual([details['claimId']]);
  });

  it('answers nothing when there is nothing, and appends nothing', async () => {
    const agentId = await register(side);
    side.hints.push({ taskId: await create(side, { capabilities: ['rust'] }) });
    const before = await side.log.head();
    expect((await ask(side, 'agent.claim-next', agentId)).details).toEqual({});
    expect(await side.log.head()).toBe(before);
  });

  it('by ten agents at once over five tasks: each task once, five agents go without and are free', async () => {
    const both = [side, { commands: await side.another() }];
    const tasks = await Promise.all(Array.from({ length: 5 }, () => create(side)));
    const agents = await Promise.all(Array.from({ length: 10 }, () => register(side, { capacity: 1 })));
    side.hints.push(...tasks.map((taskId) => ({ taskId })));
    const answers = await Promise.all(
      agents.map((agentId, index) => ask(both[index % 2] ?? side, 'agent.claim-next', agentId)),
    );
    const taken = answers.flatMap(({ details }) => ('taskId' in details ? [details['taskId']] : []));
    expect(taken.toSorted()).toEqual(tasks.toSorted());
    expect((await Promise.all(agents.map(reservationsOf))).flat()).toHaveLength(5);
  });

  it('twice under one key answers the same task, also after a restart', async () => {
    const agentId = await register(side);
    side.hints.push({ taskId: await create(side) }, { taskId: await create(side) });
    const commandId = newId();
    const answer = await ask(side, 'agent.claim-next', agentId, {}, { commandId });
    await ask(side, 'agent.change', agentId, { capacity: 9 });
    expect(await ask({ commands: await side.another() }, 'agent.claim-next', agentId, {}, { commandId })).toEqual(
      answer,
    );
    expect(await reservationsOf(agentId)).toHaveLength(1);
  });

  it('is refused to an agent that can hold no more', async () => {
    const agentId = await register(side, { capacity: 1 });
    await claim(side, await create(side), agentId);
    await expectRefused(ask(side, 'agent.claim-next', agentId), 'no-capacity', { status: 'busy' });
    await expectRefused(ask(side, 'agent.claim-next', newId()), 'not-found');
  });
});

describe('a process killed between reservation and claim', () => {
  /** A process that can write to no task: it gets as far as the reservation. */
  const dying = () =>
    side.another({}, (log) => ({
      ...log,
      append: (stream, events, expected) =>
        stream.startsWith('task-') ? Promise.reject(new Error('killed')) : log.append(stream, events, expected),
    }));

  it.each(['task.claim', 'agent.claim-next'])('%s goes on under its key with what was reserved', async (type) => {
    const [taskId, agentId] = [await create(side), await register(side)];
    side.hints.push({ taskId });
    const [target, data] = type === 'task.claim' ? [taskId, { agentId }] : [agentId, {}];
    const commandId = newId();
    await expect(ask({ commands: await dying() }, type, target, data, { commandId })).rejects.toThrow('killed');
    const reserved = await reservationsOf(agentId);
    expect(reserved).toHaveLength(1);
    side.hints.unshift({ taskId: await create(side) });
    const { details } = await ask(side, type, target, data, { commandId });
    expect(details).toMatchObject({ taskId, claimId: reserved[0] });
    expect(await reservationsOf(agentId)).toEqual(reserved);
  });

  it.each(['task.claim', 'agent.claim-next'])('%s reserves anew when it was freed meanwhile', async (type) => {
    const [taskId, agentId] = [await create(side), await register(side)];
    side.hints.push({ taskId });
    const [target, data] = type === 'task.claim' ? [taskId, { agentId }] : [agentId, {}];
    const commandId = newId();
    await expect(ask({ commands: await dying() }, type, target, data, { commandId })).rejects.toThrow('killed');
    const [freed] = await reservationsOf(agentId);
    await ask(side, 'agent.release', agentId, { claimId: freed, reason: 'left over' });
    const answer = await ask(side, type, target, data, { commandId });
    expect(answer.details['claimId']).not.toBe(freed);
    expect(await reservationsOf(agentId)).toEqual([answer.details['claimId']]);
    expect(await ask({ commands: await side.another() }, type, target, data, { commandId })).toEqual(answer);
  });
});
