import { describe, expect, it } from 'vitest';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { scenario } from '../engine/testing/scenario.ts';
import { taskAssignment } from './task-assignment.ts';

const assignment = () => ({ ...scenario(taskAssignment), taskId: newId(), agentId: newId(), claimId: newId() });

function claimed() {
  const run = assignment();
  const { taskId, agentId, claimId } = run;
  run.receives('agent', agentId, 'AgentReserved', { claimId, taskId });
  run.receives('task', taskId, 'TaskClaimed', {
    claimId,
    agentId,
    runtime: 'remote',
    repository: null,
    leaseSeconds: 60,
  });
  return run;
}

describe('task assignment', () => {
  it('creates the task that a delivery asks for, naming the delivery only', () => {
    const run = assignment();
    const deliveryId = newId();
    run.receives('delivery', deliveryId, 'DeliveryRouted', {
      taskId: run.taskId,
      rule: 'label',
      intent: { kind: 'create-task' },
    });
    expect(run.requested(`create/${deliveryId}`)).toMatchObject({
      type: 'task.create-from-delivery',
      target: run.taskId,
      data: { deliveryId },
    });
  });

  it('tells a task that its host has news of its pull request', () => {
    const run = assignment();
    const deliveryId = newId();
    run.receives('delivery', deliveryId, 'DeliveryNoticed', { taskId: run.taskId, pullRequest: 7 });
    expect(run.requested(`notice/${deliveryId}`)).toMatchObject({
      type: 'task.notice-pull-request',
      target: run.taskId,
    });
  });

  const intents = {
    create: { kind: 'create-task' },
    cancel: { kind: 'cancel-task', reason: 'closed' },
  } as const;
  function routing() {
    const run = assignment();
    const { taskId } = run;
    return {
      ...run,
      routes: (kind: keyof typeof intents, deliveryId: string, position?: number) =>
        run.receives(
          'delivery',
          deliveryId,
          'DeliveryRouted',
          { taskId, rule: 'label', intent: intents[kind] },
          position,
        ),
    };
  }

  it('cancels the task of an issue that was closed, after it was created', () => {
    const run = routing();
    const [created, closed] = [newId(), newId()];
    run.routes('create', created);
    run.routes('cancel', closed);
    expect(run.open()).toEqual([`create/${created}`]);
    run.succeeds(`create/${created}`);
    expect(run.requested(`cancel/${closed}`)).toMatchObject({
      ...{ type: 'task.cancel', target: run.taskId, data: { reason: 'closed' } },
    });
    const again = newId();
    run.routes('cancel', again);
    expect(run.open()).toEqual([`cancel/${closed}`, `cancel/${again}`]);
  });

  it('lets the run look first where its work is offered by a pull request: that may have been merged', () => {
    const run = routing();
    const [created, closed] = [newId(), newId()];
    run.routes('create', created);
    run.succeeds(`create/${created}`);
    const claim = { claimId: newId(), agentId: newId(), leaseSeconds: 60 };
    run.receives('task', run.taskId, 'TaskClaimed', claim);
    run.receives('task', run.taskId, 'TaskPullRequestOpened', {
      claimId: claim.claimId,
      number: 7,
      url: 'https://git/7',
    });
    run.routes('cancel', closed);
    expect(run.requested(`look/${closed}`)).toMatchObject({ type: 'task.notice-pull-request', target: run.taskId });
    expect(run.open()).toEqual([`look/${closed}`, `before-cancel/${closed}`]);
    run.succeeds(`look/${closed}`);
    run.succeeds(`before-cancel/${closed}`);
    expect(run.requested(`cancel/${closed}`)).toMatchObject({ type: 'task.cancel', data: { reason: 'closed' } });
  });

  it('cancels it also when the creation was refused: the task may be there already', () => {
    const run = routing();
    const [created, closed] = [newId(), newId()];
    run.routes('create', created);
    run.routes('cancel', closed);
    run.fails(`create/${created}`);
    expect(run.open()).toEqual([`cancel/${closed}`]);
  });

  it('cancels it also when the end is seen before the beginning', () => {
    const run = routing();
    const [created, closed] = [newId(), newId()];
    run.routes('cancel', closed, 11);
    expect(run.open()).toEqual([]);
    run.routes('create', created, 10);
    run.succeeds(`create/${created}`);
    expect(run.open()).toEqual([`cancel/${closed}`]);
  });

  it('leaves a task alone whose issue was closed before anybody asked for it', () => {
    const run = routing();
    const [created, closed] = [newId(), newId()];
    run.routes('cancel', closed, 10);
    run.routes('create', created, 11);
    run.succeeds(`create/${created}`);
    expect(run.open()).toEqual([]);
  });

  it('asks for nothing while a claim is held: its lease is watched elsewhere', () => {
    const run = claimed();
    expect(run.open()).toEqual([`orphan/${run.claimId}`]);
  });

  it.each(['lease', 'expire'])('asks for nothing after a %s of a version that watched leases by itself', (kind) => {
    const run = claimed();
    const result = { details: { dueAt: '2026-01-01T00:00:42Z' } };
    const event = { type: 'SagaEffectSucceeded', data: { key: `${kind}/${run.claimId}/1`, result } } as const;
    expect(taskAssignment.react(run.state(), event, new Map(), new Date())).toEqual([]);
  });

  it.each(['TaskClaimReleased', 'TaskClaimExpired', 'TaskCompleted', 'TaskFailed', 'TaskCancelled'])(
    'frees the agent after %s',
    (type) => {
      const run = claimed();
      run.receives('task', run.taskId, type, { claimId: run.claimId, parentId: null, reason: 'x' });
      expect(run.requested(`release/${run.claimId}`)).toMatchObject({ type: 'agent.release', target: run.agentId });
    },
  );

  it('frees the agent also when its reservation is seen only after the end', () => {
    const run = assignment();
    const { taskId, agentId, claimId } = run;
    run.receives('task', taskId, 'TaskClaimed', {
      claimId,
      agentId,
      runtime: 'remote',
      repository: null,
      leaseSeconds: 60,
    });
    run.receives('task', taskId, 'TaskFailed', { claimId, failure: {} });
    expect(run.open()).toContain(`release/${claimId}`);
  });

  it('has a reservation looked at that may be left over, unless it is free already', () => {
    const orphan = assignment();
    const { taskId, agentId, claimId } = orphan;
    orphan.receives('agent', agentId, 'AgentReserved', { claimId, taskId });
    orphan.succeeds(`orphan/${claimId}`);
    expect(orphan.requested(`unclaimed/${claimId}`)).toMatchObject({
      ...{ type: 'agent.release-unclaimed', target: agentId, data: { claimId } },
    });

    const freed = assignment();
    freed.receives('agent', freed.agentId, 'AgentReserved', { claimId: freed.claimId, taskId: freed.taskId });
    freed.receives('agent', freed.agentId, 'AgentReleased', {
      claimId: freed.claimId,
      taskId: freed.taskId,
      reason: 'x',
    });
    freed.succeeds(`orphan/${freed.claimId}`);
    expect(freed.open()).toEqual([]);
  });

  it('keeps nothing of claims that are over', () => {
    const run = assignment();
    const { taskId, agentId } = run;
    for (let round = 0; round < 3; round++) {
      const claimId = newId();
      run.receives('agent', agentId, 'AgentReserved', { claimId, taskId });
      run.receives('task', taskId, 'TaskClaimed', {
        ...{ claimId, agentId, runtime: 'remote', repository: null, leaseSeconds: 60 },
      });
      run.receives('task', taskId, 'TaskClaimExpired', { claimId, agentId });
      run.receives('agent', agentId, 'AgentReleased', { claimId, taskId, reason: 'x' });
    }
    expect(run.state()).toMatchObject({ claim: null, agents: {} });
  });

  it('tells the parent when a subtask is complete', () => {
    const run = claimed();
    const parentId = newId();
    run.receives('task', run.taskId, 'TaskCompleted', { claimId: run.claimId, parentId, result: {} });
    expect(run.requested(`parent/task-${run.taskId}`)).toMatchObject({
      type: 'task.complete-parent',
      target: parentId,
    });
  });
});
