import { newId } from '@workledger/shared/contexts/stream.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  claim,
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

describe('the coordinator of an agent', () => {
  it('must be there, and a coordinator', async () => {
    const [worker, coordinator] = [await register(side), await register(side, { kind: 'coordinator' })];
    for (const coordinatorId of [newId(), worker]) {
      const refused = ask(side, 'agent.register', newId(), { name: 'worker', coordinatorId });
      await expectRefused(refused, 'unknown-reference', { field: 'coordinatorId' });
      await expectRefused(ask(side, 'agent.change', worker, { coordinatorId }), 'unknown-reference');
    }
    await register(side, { coordinatorId: coordinator });
    await ask(side, 'agent.change', worker, { coordinatorId: coordinator });
    await ask(side, 'agent.change', worker, { coordinatorId: null });
    expect(await typesOf(side.log, `agent-${worker}`)).toEqual(['AgentRegistered', 'AgentChanged', 'AgentChanged']);
  });

  it('who has gone meanwhile does not make a repeat fail', async () => {
    const [worker, coordinator] = [await register(side), await register(side, { kind: 'coordinator' })];
    const commandId = newId();
    const change = () => ask(side, 'agent.change', worker, { coordinatorId: coordinator }, { commandId });
    const answer = await change();
    await ask(side, 'agent.deregister', coordinator);
    expect(await change()).toEqual(answer);
  });
});

describe('a process killed before it could write that an agent is back', () => {
  const dying = () => side.another({}, (log) => ({ ...log, append: () => Promise.reject(new Error('killed')) }));

  it.each(['agent.beat', 'task.renew'])('has noted its sign of life by %s', async (type) => {
    const [taskId, agentId] = [await create(side), await register(side)];
    const claimId = await claim(side, taskId, agentId);
    await ask(side, 'agent.disconnect', agentId, { lastBeatAt: null });
    await side.database.pool.query('delete from command_service.heartbeats where subject = $1', [`agent:${agentId}`]);
    const [target, data] = type === 'agent.beat' ? [agentId, {}] : [taskId, { claimId }];
    await expect(ask({ commands: await dying() }, type, target, data)).rejects.toThrow('killed');
    expect(await side.commands.heartbeats.lastBeat(`agent:${agentId}`)).not.toBeNull();
    await ask(side, type, target, data);
    expect((await typesOf(side.log, `agent-${agentId}`)).at(-1)).toBe('AgentReconnected');
  });

  it('nobody beats for an agent that is not there', async () => {
    const nobody = newId();
    await expectRefused(ask(side, 'agent.beat', nobody), 'not-found');
    expect(await side.commands.heartbeats.lastBeat(`agent:${nobody}`)).toBeNull();
  });
});

it('ids in upper case name the same task, claim and agent', async () => {
  const [taskId, agentId] = [await create(side), await register(side)];
  const second = await create(side, { dependencies: [taskId.toUpperCase()] });
  const third = await create(side);
  await ask(side, 'task.add-dependency', third, { dependsOn: taskId.toUpperCase() });
  for (const waiting of [second, third])
    await expectRefused(ask(side, 'task.claim', waiting, { agentId }), 'blocked', { waitingFor: [taskId] });
  const { details } = await ask(side, 'task.claim', taskId.toUpperCase(), { agentId: agentId.toUpperCase() });
  const claimId = (details['claimId'] as string).toUpperCase();
  await ask(side, 'task.renew', taskId, { claimId });
  await ask(side, 'task.submit', taskId, { claimId, commit: null });
  expect((await eventsOf(side.log, `task-${taskId}`)).slice(1)).toMatchObject([
    { type: 'TaskClaimed', data: { agentId } },
    { type: 'TaskWorkSubmitted', data: { claimId: details['claimId'] } },
  ]);
  await ask(side, 'task.fail', taskId, {
    claimId,
    failure: { step: 'x', reason: 'x', command: null, exitCode: null, lastLines: [], log: null },
  });
});
