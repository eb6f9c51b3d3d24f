import { newId } from '@workledger/shared/contexts/stream.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { disconnectSilentAgents } from './agents.ts';
import { createLeaseLook } from './leases.ts';
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

const PATIENCE = { timeout: 20_000 };

let side: WriteSide;
beforeAll(async () => {
  side = await startWriteSide();
});
afterAll(() => side.close());

/** As if these had been silent for an hour, and the service had been ready for as long. */
async function silence(...subjects: readonly string[]): Promise<WriteSide> {
  await side.database.pool.query(
    `update command_service.heartbeats set beat_at = beat_at - interval '1 hour' where subject = any($1)`,
    [subjects],
  );
  return side;
}

describe('a lease', () => {
  it('that has time left is not taken, and says when it is due', async () => {
    const [taskId, agentId] = [await create(side), await register(side)];
    const claimId = await claim(side, taskId, agentId);
    const { details } = await ask(side, 'task.expire-claim', taskId, { claimId });
    const claimedAt = (await eventsOf(side.log, `task-${taskId}`)).at(-1)?.recordedAt.getTime() ?? 0;
    expect(Date.parse(details['dueAt'] as string)).toBe(claimedAt + 60_000);
    expect(await typesOf(side.log, `task-${taskId}`)).toEqual(['TaskCreated', 'TaskClaimed']);
  });

  it('is due later when it was renewed', async () => {
    const [taskId, agentId] = [await create(side), await register(side)];
    const claimId = await claim(side, taskId, agentId);
    const dueAt = async () => (await ask(side, 'task.expire-claim', taskId, { claimId })).details['dueAt'] as string;
    const before = await dueAt();
    const renewed = await ask(side, 'task.renew', taskId, { claimId }, { actor: `agent:${agentId}` });
    expect(renewed.details).toEqual({ claimId, taskId, leaseSeconds: 60 });
    expect(Date.parse(await dueAt())).toBeGreaterThan(Date.parse(before));
  });

  it('that has run out gives the task back; late results are refused, and the next agent is not disturbed', async () => {
    const hasty = { commands: await side.another({ leaseSeconds: 1 }) };
    const [taskId, agentId] = [await create(side), await register(side)];
    const claimId = await claim(hasty, taskId, agentId);
    const commandId = newId();
    await expect
      .poll(async () => (await ask(hasty, 'task.expire-claim', taskId, { claimId }, { commandId })).details, {
        ...PATIENCE,
      })
      .toEqual({});
    const repeated = await ask(hasty, 'task.expire-claim', taskId, { claimId }, { commandId });
    expect(repeated).toMatchObject({ revision: 2, token: `task-${taskId}@2` });

    const next = await claim(side, taskId, await register(side));
    const late: readonly (readonly [string, object])[] = [
      ['task.submit', { commit: null }],
      ['task.report-progress', { note: 'nearly' }],
      ['task.renew', {}],
      ['task.release', { reason: 'late' }],
      ['task.expire-claim', {}],
    ];
    for (const [type, data] of late)
      await expectRefused(
        ask(side, type, taskId, { claimId, ...data }, { actor: `agent:${agentId}` }),
        'claim-mismatch',
      );
    await ask(side, 'task.submit', taskId, { claimId: next, commit: null });
    expect(await typesOf(side.log, `task-${taskId}`)).toEqual([
      'TaskCreated',
      'TaskClaimed',
      'TaskClaimExpired',
      'TaskClaimed',
      'TaskWorkSubmitted',
    ]);
  });

  it('does not run while the work is being validated', async () => {
    const hasty = { commands: await side.another({ leaseSeconds: 1 }) };
    const [taskId, agentId] = [await create(side), await register(side)];
    const claimId = await claim(hasty, taskId, agentId);
    await ask(side, 'task.submit', taskId, { claimId, commit: null });
    expect((await ask(side, 'task.expire-claim', taskId, { claimId })).details).toHaveProperty('dueAt');
    await ask(side, 'task.send-back', taskId, { claimId, reason: 'red', report: null });
    const sentBackAt = (await eventsOf(side.log, `task-${taskId}`)).at(-1)?.recordedAt.getTime() ?? 0;
    const { details } = await ask(side, 'task.expire-claim', taskId, { claimId });
    if ('dueAt' in details) expect(Date.parse(details['dueAt'] as string)).toBe(sentBackAt + 1_000);
  });

  it('counts from the readiness of a service that was away', async () => {
    const hasty = { commands: await side.another({ leaseSeconds: 2 }) };
    const [taskId, agentId] = [await create(side), await register(side)];
    const claimId = await claim(hasty, taskId, agentId);
    const first = (await ask(hasty, 'task.expire-claim', taskId, { claimId })).details['dueAt'] as string;
    const restarted = { commands: await side.another() };
    const second = (await ask(restarted, 'task.expire-claim', taskId, { claimId })).details['dueAt'] as string;
    expect(Date.parse(second)).toBeGreaterThan(Date.parse(first));
  });

  it('can only be renewed by the agent that holds it, and not once that is deregistered', async () => {
    const [taskId, agentId] = [await create(side), await register(side)];
    const claimId = await claim(side, taskId, agentId);
    await expectRefused(ask(side, 'task.renew', taskId, { claimId }, { actor: `agent:${newId()}` }), 'forbidden');
    await ask(side, 'agent.deregister', agentId);
    await expectRefused(
      ask(side, 'task.renew', taskId, { claimId }, { actor: `agent:${agentId}` }),
      'illegal-transition',
      { status: 'deregistered' },
    );
  });
});

describe('the watch over leases', () => {
  const table = `
    create schema if not exists read_models;
    create table if not exists read_models.tasks (
      id text, state text, claim_id text, claimed_at timestamptz, lease_seconds integer)`;
  beforeAll(() => side.database.pool.query(table));
  beforeEach(() => side.database.pool.query('truncate read_models.tasks'));

  /** As the read model tells of the claim, whatever the log says. */
  const shows = (taskId: string, claimId: string, leaseSeconds = 60): Promise<unknown> =>
    side.database.pool.query(
      `insert into read_models.tasks values ($1, 'in-progress', $2, now() - interval '1 hour', $3)`,
      [taskId, claimId, leaseSeconds],
    );
  const size = async (): Promise<bigint> => side.log.head();
  async function claimed(leaseSeconds: number) {
    const commands = { commands: await side.another({ leaseSeconds }) };
    const [taskId, agentId] = [await create(side), await register(side)];
    const claimId = await claim(commands, taskId, agentId);
    await shows(taskId, claimId, leaseSeconds);
    return { ...commands, taskId, agentId, claimId };
  }

  it('writes nothing for a claim that is renewed for a week, and says when to look again', async () => {
    const { commands, taskId, claimId } = await claimed(60);
    const look = createLeaseLook({ commands });
    const before = await size();
    for (let beat = 0; beat < 500; beat++) {
      if (beat % 100 === 0) await ask({ commands }, 'task.renew', taskId, { claimId });
      const next = await look();
      expect(next).toBeGreaterThan(50_000);
      expect(next).toBeLessThanOrEqual(60_000);
    }
    expect(await size()).toBe(before);
  });

  it('takes back what ran out, once, and then has nothing to look at', async () => {
    const { commands, taskId, claimId } = await claimed(1);
    const look = createLeaseLook({ commands });
    await expect.poll(async () => (await look(), typesOf(side.log, `task-${taskId}`)), PATIENCE).toHaveLength(3);
    const before = await size();
    // The read model is behind: it still shows the claim.
    expect(await look()).toBeLessThanOrEqual(1_000);
    expect(await size()).toBe(before);
    expect(await typesOf(side.log, `task-${taskId}`)).toEqual(['TaskCreated', 'TaskClaimed', 'TaskClaimExpired']);
    await side.database.pool.query('truncate read_models.tasks');
    expect(await look()).toBe(Infinity);
    expect(claimId).not.toBe('');
  });

  it('is not ended by a refusal: a claim that was in validation, and is sent back, runs out later', async () => {
    const { commands, taskId, claimId } = await claimed(1);
    const look = createLeaseLook({ commands });
    await ask(side, 'task.submit', taskId, { claimId, commit: null });
    await side.database.pool.query(`update command_service.heartbeats set beat_at = beat_at - interval '1 hour'`);
    await look();
    expect((await typesOf(side.log, `task-${taskId}`)).at(-1)).toBe('TaskWorkSubmitted');
    await ask(side, 'task.send-back', taskId, { claimId, reason: 'red', report: null });
    await expect
      .poll(async () => (await look(), (await typesOf(side.log, `task-${taskId}`)).at(-1)), PATIENCE)
      .toBe('TaskClaimExpired');
  });

  it('does not ask again and again for what the log holds for running', async () => {
    const { commands, taskId, claimId } = await claimed(60);
    await side.database.pool.query('truncate read_models.tasks');
    await side.database.pool.query(`delete from command_service.heartbeats where subject = $1`, [`claim:${claimId}`]);
    // A lease that the read model takes for shorter than it is.
    await shows(taskId, claimId, 0);
    let asked = 0;
    const counting = {
      ...commands,
      send: (...given: Parameters<typeof commands.send>) => (asked++, commands.send(...given)),
    };
    const look = createLeaseLook({ commands: counting });
    for (let times = 0; times < 20; times++) await look();
    expect(asked).toBe(1);
  });
});

describe('a reservation that may be left over', () => {
  it('stays while the log has the task under its claim, and is given back when no claim followed', async () => {
    const [taskId, agentId] = [await create(side), await register(side)];
    const claimId = await claim(side, taskId, agentId);
    await ask(side, 'agent.release-unclaimed', agentId, { claimId });
    expect((await typesOf(side.log, `agent-${agentId}`)).at(-1)).toBe('AgentReserved');

    const left = newId();
    await ask(side, 'agent.reserve', agentId, { claimId: left, taskId: await create(side) });
    const commandId = newId();
    const release = () => ask(side, 'agent.release-unclaimed', agentId, { claimId: left }, { commandId });
    const answer = await release();
    expect(await release()).toEqual(answer);
    expect((await eventsOf(side.log, `agent-${agentId}`)).at(-1)).toMatchObject({
      ...{ type: 'AgentReleased', data: { claimId: left, reason: 'never claimed' } },
    });
  });
});

describe('the agent monitor', () => {
  it('disconnects agents that are silent, once, and leaves the others; a beat reconnects', async () => {
    const [silent, lively] = [await register(side), await register(side)];
    const lastBeatAt = (await side.commands.heartbeats.lastBeat(`agent:${silent}`)) as Date;
    const options = { commands: side.commands, heartbeatSeconds: 1 };
    await silence(`agent:${silent}`);
    await ask(side, 'agent.beat', lively);
    await expect
      .poll(async () => {
        await ask(side, 'agent.beat', lively);
        await disconnectSilentAgents(options);
        return typesOf(side.log, `agent-${silent}`);
      }, PATIENCE)
      .toEqual(['AgentRegistered', 'AgentDisconnected']);
    await disconnectSilentAgents(options);
    expect((await eventsOf(side.log, `agent-${silent}`)).map(({ data }) => data).at(-1)).toEqual({
      lastBeatAt: new Date(lastBeatAt.getTime() - 3_600_000).toISOString(),
    });
    expect(await typesOf(side.log, `agent-${lively}`)).toEqual(['AgentRegistered']);

    await expectRefused(ask(side, 'task.claim', await create(side), { agentId: silent }), 'no-capacity', {
      status: 'disconnected',
    });
    await ask(side, 'agent.beat', silent);
    await disconnectSilentAgents({ ...options, heartbeatSeconds: 30 });
    expect(await typesOf(side.log, `agent-${silent}`)).toEqual([
      'AgentRegistered',
      'AgentDisconnected',
      'AgentReconnected',
    ]);
  });

  it('blames nobody for silence before the service was ready', async () => {
    const agentId = await register(side);
    await silence(`agent:${agentId}`);
    await disconnectSilentAgents({ commands: await side.another(), heartbeatSeconds: 30 });
    expect(await typesOf(side.log, `agent-${agentId}`)).toEqual(['AgentRegistered']);
  });

  it('is not stopped by a beat of somebody who was never registered', async () => {
    const nobody = `agent:${newId()}`;
    await side.commands.heartbeats.beat(nobody);
    await silence(nobody);
    await expect
      .poll(async () => {
        await disconnectSilentAgents({ commands: side.commands, heartbeatSeconds: 1 });
        return side.commands.heartbeats.lastBeat(nobody);
      }, PATIENCE)
      .toBeNull();
  });
});
