import { describe, expect, it } from 'vitest';
import { newId } from '@workledger/shared/events/stream.ts';
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

  it('cancels the task of an issue that was closed', () => {
    const run = assignment();
    const deliveryId = newId();
    const intent = { kind: 'cancel-task', reason: 'closed' };
    run.receives('delivery', deliveryId, 'DeliveryRouted', { taskId: run.taskId, rule: 'label', intent });
    expect(run.requested(`cancel/${deliveryId}`)).toMatchObject({ type: 'task.cancel', data: { reason: 'closed' } });
  });

  it('looks at the lease when it would run out, and again later while the agent reports', () => {
    const run = claimed();
    run.succeeds(`lease/${run.claimId}/1`);
    expect(run.requested(`expire/${run.claimId}/1`)).toMatchObject({ type: 'task.expire-claim', target: run.taskId });
    run.succeeds(`expire/${run.claimId}/1`, { details: { dueAt: '2026-01-01T00:00:42Z' } });
    expect(run.requested(`lease/${run.claimId}/2`)).toMatchObject({ kind: 'timer', dueAt: '2026-01-01T00:00:42.000Z' });
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

  it('frees a reservation that no claim followed, but not one that is in use or free already', () => {
    const orphan = assignment();
    const { taskId, agentId, claimId } = orphan;
    orphan.receives('agent', agentId, 'AgentReserved', { claimId, taskId });
    orphan.succeeds(`orphan/${claimId}`);
    expect(orphan.requested(`release/${claimId}`)).toMatchObject({ data: { reason: 'never claimed' } });

    const used = claimed();
    used.succeeds(`orphan/${used.claimId}`);
    expect(used.requested(`release/${used.claimId}`)).toBeUndefined();

    const freed = assignment();
    freed.receives('agent', freed.agentId, 'AgentReserved', { claimId: freed.claimId, taskId: freed.taskId });
    freed.receives('agent', freed.agentId, 'AgentReleased', {
      claimId: freed.claimId,
      taskId: freed.taskId,
      reason: 'x',
    });
    freed.succeeds(`orphan/${freed.claimId}`);
    expect(freed.requested(`release/${freed.claimId}`)).toBeUndefined();
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
