import { newId } from '@workledger/shared/contexts/stream.ts';
import { expect, it } from 'vitest';
import { scenario } from '../engine/testing/scenario.ts';
import { issueAssignment } from './issue-assignment.ts';

function asking() {
  const run = scenario(issueAssignment);
  const [id, agentId] = [newId(), newId()];
  const receives = (type: string, data: object) => run.receives('issue', id, type, data);
  receives('IssueAssignmentRequested', { round: 1, acceptWithinSeconds: 60 });
  const offer = (number: number) => receives('IssueOffered', { round: 1, number, agentId, acceptWithinSeconds: 60 });
  const ends = (number: number, outcome: string) =>
    receives('IssueOfferEnded', { round: 1, number, agentId, outcome, reason: null });
  return { ...run, id, offer, ends, receives };
}

it('has the first agent asked, and sets its deadline when it was', () => {
  const run = asking();
  expect(run.requested('offer/1/1')).toMatchObject({
    type: 'issue.offer',
    target: run.id,
    data: { round: 1, number: 1 },
  });
  run.succeeds('offer/1/1');
  run.offer(1);
  run.receivesAgain();
  expect(run.open()).toEqual(['deadline/1/1']);
  expect(run.requested('deadline/1/1')).toMatchObject({ dueAt: '2026-01-01T00:01:00.000Z' });
});

it('asks nobody else when an agent accepts, and lets the deadline go', () => {
  const run = asking();
  run.succeeds('offer/1/1');
  run.offer(1);
  run.ends(1, 'accepted');
  expect(run.open()).toEqual([]);
});

it.each(['declined', 'left'])('goes on to the next when one has %s', (outcome) => {
  const run = asking();
  run.succeeds('offer/1/1');
  run.offer(1);
  run.ends(1, outcome);
  expect(run.open()).toEqual(['offer/1/2']);
});

it('goes on to the next when nobody answered in time', () => {
  const run = asking();
  run.succeeds('offer/1/1');
  run.offer(1);
  run.succeeds('deadline/1/1');
  expect(run.requested('expire/1/1')).toMatchObject({ type: 'issue.expire-offer', data: { round: 1, number: 1 } });
  run.succeeds('expire/1/1');
  expect(run.open()).toEqual([]);
  run.ends(1, 'expired');
  expect(run.open()).toEqual(['offer/1/2']);
});

it('asks nobody any more when the offer was withdrawn, and begins anew in another round', () => {
  const run = asking();
  run.succeeds('offer/1/1');
  run.offer(1);
  run.ends(1, 'withdrawn');
  expect(run.open()).toEqual([]);
  run.receives('IssueAssignmentRequested', { round: 2, acceptWithinSeconds: 60 });
  expect(run.open()).toEqual(['offer/2/1']);
});

it('has the issues of an agent that is deregistered left, once read models know them', () => {
  const run = scenario(issueAssignment);
  const agentId = newId();
  run.receives('agent', agentId, 'AgentDeregistered', { reason: 'retired' });
  expect(run.requested('left/0')).toMatchObject({ kind: 'timer', dueAt: '2026-01-01T00:00:02.000Z' });
  run.succeeds('left/0');
  expect(run.requested('leave/0')).toMatchObject({ type: 'agent.leave-issues', target: agentId });
});
