import { newId } from '@workledger/shared/contexts/stream.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, eventsOf, expectRefused, from, register, startWriteSide, typesOf, type WriteSide } from './testing.ts';

let side: WriteSide;
beforeAll(async () => {
  side = await startWriteSide();
});
afterAll(() => side.close());

async function report(more: object = {}): Promise<string> {
  const id = newId();
  await ask(side, 'issue.create', id, { title: 'slow', capabilities: ['code'], repository: 'sample', ...more });
  return id;
}

describe('an issue is offered by what the log says, whatever the hints are', () => {
  it('to nobody who left, is not there, cannot do it, or was asked', async () => {
    const [gone, off, other, fit] = [
      await register(side),
      await register(side),
      await register(side, { capabilities: ['words'] }),
      await register(side),
    ];
    await ask(side, 'agent.deregister', gone);
    await ask(side, 'agent.deactivate', off);
    side.issueHints.agents = [gone, off, newId(), other, fit];
    const id = await report();
    await ask(side, 'issue.assign', id, {});
    const offer = (number: number) => ask(side, 'issue.offer', id, { round: 1, number }, { commandId: newId() });
    await offer(1);
    expect((await eventsOf(side.log, `issue-${id}`)).at(-1)).toMatchObject({
      ...{ type: 'IssueOffered', data: { round: 1, number: 1, agentId: fit, acceptWithinSeconds: 900 } },
    });
    await ask(side, 'issue.decline', id, {}, from(`agent:${fit}`));
    await offer(2);
    expect((await eventsOf(side.log, `issue-${id}`)).at(-1)).toMatchObject({
      ...{ type: 'IssueAssignmentEnded', data: { round: 1, outcome: 'nobody-accepted' } },
    });
  });

  it('once for the same command, however often it is sent', async () => {
    const [one, two] = [await register(side), await register(side)];
    side.issueHints.agents = [one, two];
    const id = await report();
    await ask(side, 'issue.assign', id, {});
    const again = () => ask(side, 'issue.offer', id, { round: 1, number: 1 }, { commandId: again.id });
    again.id = newId();
    const answers = [await again(), await again()];
    await ask(side, 'issue.decline', id, {}, from(`agent:${one}`));
    answers.push(await again());
    expect(new Set(answers.map(({ revision }) => revision))).toEqual(new Set([2]));
    expect(await typesOf(side.log, `issue-${id}`)).toEqual([
      ...['IssueReported', 'IssueAssignmentRequested', 'IssueOffered', 'IssueOfferEnded'],
    ]);
  });
});

it('the issues of an agent are left only when the log has it deregistered', async () => {
  const agentId = await register(side);
  const id = await report();
  await ask(side, 'issue.assign', id, { assignee: `agent:${agentId}` });
  side.issueHints.issues = [id];
  await ask(side, 'agent.leave-issues', agentId);
  expect((await typesOf(side.log, `issue-${id}`)).at(-1)).toBe('IssueAssigned');
  await ask(side, 'agent.deregister', agentId);
  await ask(side, 'agent.leave-issues', agentId);
  expect((await typesOf(side.log, `issue-${id}`)).at(-1)).toBe('IssueUnassigned');
});

describe('an issue that is turned into a task', () => {
  it('says the same task to a repeat, and lets only that task be made from it', async () => {
    const id = await report({ priority: 'critical', description: 'very' });
    const context = { commandId: newId() };
    const [first, second] = [
      await ask(side, 'issue.turn-into-task', id, {}, context),
      await ask(side, 'issue.turn-into-task', id, {}, context),
    ];
    expect(second).toEqual(first);
    const taskId = first.details['taskId'] as string;
    await expectRefused(ask(side, 'task.create-from-issue', newId(), { issueId: id }), 'unknown-reference');
    await ask(side, 'task.create-from-issue', taskId, { issueId: id });
    expect((await eventsOf(side.log, `task-${taskId}`))[0]).toMatchObject({
      type: 'TaskCreated',
      data: { ...{ title: 'slow', description: 'very', priority: 1, capabilities: ['code'] }, issueId: id },
    });
    await expectRefused(ask(side, 'issue.turn-into-task', id), 'illegal-transition', { taskId });
    await ask(side, 'task.cancel', taskId);
    expect((await eventsOf(side.log, `task-${taskId}`)).at(-1)).toMatchObject({ data: { issueId: id } });
    // The issue has not been told yet, but the log says that the task has ended.
    expect((await ask(side, 'issue.turn-into-task', id)).details['taskId']).not.toBe(taskId);
  });

  it('has a repository that is registered', async () => {
    await expectRefused(ask(side, 'issue.turn-into-task', await report({ repository: null })), 'unknown-repository');
    await expectRefused(ask(side, 'issue.turn-into-task', newId()), 'not-found');
  });
});

it('a comment is about an issue that is there, and belongs to its repository', async () => {
  await expectRefused(ask(side, 'comment.create', newId(), { issueId: newId(), body: 'x' }), 'unknown-reference');
  const [id, issueId] = [newId(), await report()];
  await ask(side, 'comment.create', id, { issueId, body: 'x' });
  expect(await eventsOf(side.log, `comment-${id}`)).toMatchObject([{ data: { issueId, repository: 'sample' } }]);
  await expectRefused(ask(side, 'comment.edit', id, { body: 'y' }, { repositories: ['other'] }), 'not-found');
  await expectRefused(ask(side, 'issue.close', issueId, {}, { repositories: ['other'] }), 'not-found');
});
