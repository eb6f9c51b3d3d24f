import { history, timeOf } from '@workledger/infra/testing/events/history.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { IssueEvent } from '@workledger/shared/contexts/task/issue/events.ts';
import type { IssueRow } from '@workledger/shared/contexts/task/issue/row.ts';
import { describe, expect, it } from 'vitest';
import { foldAll } from '../engine/fold-all.ts';
import { issues } from './projection.ts';

const [id, ann, taskId] = [newId(), newId(), newId()];
const words = { title: 'slow', description: 'very', labels: ['speed'], capabilities: ['code'] };
const reported: IssueEvent = {
  type: 'IssueReported',
  data: { ...words, priority: 'high', repository: 'sample', reporter: 'user:1' },
};
const requested: IssueEvent = { type: 'IssueAssignmentRequested', data: { round: 1, acceptWithinSeconds: 60 } };
const offer = { round: 1, number: 1, agentId: ann };
const offered: IssueEvent = { type: 'IssueOffered', data: { ...offer, acceptWithinSeconds: 60 } };
const declined: IssueEvent = { type: 'IssueOfferEnded', data: { ...offer, outcome: 'declined', reason: null } };
const over: IssueEvent = { type: 'IssueAssignmentEnded', data: { round: 1, outcome: 'nobody-accepted' } };
const assigned: IssueEvent = { type: 'IssueAssigned', data: { assignee: `agent:${ann}` } };

const after = (...events: IssueEvent[]): IssueRow =>
  foldAll<IssueRow>(issues, history(streamName('issue', id), [reported, ...events])).get(id)!;

describe('the issues read model', () => {
  it('tells what was reported, and what was changed', () => {
    expect(after()).toEqual({
      ...words,
      ...{ id, revision: 0, state: 'open', priority: 'high', urgency: 2, repository: 'sample', reporter: 'user:1' },
      ...{ assignee: null, assignment: 'none', unassignedReason: null, offeredTo: null, offerEndsAt: null },
      ...{ taskId: null, taskIds: [], resolution: null, reason: null },
      ...{ createdAt: timeOf(0), updatedAt: timeOf(0), resolvedAt: null, closedAt: null },
    });
    expect(after({ type: 'IssueDetailsChanged', data: { priority: 'critical' } })).toMatchObject({
      ...{ revision: 1, priority: 'critical', urgency: 1, title: 'slow', updatedAt: timeOf(1) },
    });
  });

  it('tells who is asked, until when, and that nobody accepted', () => {
    expect(after(requested)).toMatchObject({ assignment: 'asking', offeredTo: null });
    const offerEndsAt = new Date(Date.parse(timeOf(2)) + 60_000).toISOString();
    expect(after(requested, offered)).toMatchObject({ assignment: 'asking', offeredTo: `agent:${ann}`, offerEndsAt });
    expect(after(requested, offered, declined, over)).toMatchObject({
      ...{ assignment: 'unassigned', unassignedReason: 'nobody accepted', offeredTo: null, offerEndsAt: null },
    });
  });

  it('tells who has it, and from whom it was taken', () => {
    expect(after(requested, offered, declined, over, assigned)).toMatchObject({
      ...{ assignment: 'assigned', assignee: `agent:${ann}`, unassignedReason: null },
    });
    const taken: IssueEvent = { type: 'IssueUnassigned', data: { assignee: `agent:${ann}`, reason: 'gone' } };
    expect(after(assigned, { type: 'IssueStarted', data: { taskId: null } }, taken)).toMatchObject({
      ...{ state: 'open', assignment: 'unassigned', assignee: null, unassignedReason: 'gone' },
    });
  });

  it('follows it to its end and back', () => {
    const started: IssueEvent = { type: 'IssueStarted', data: { taskId: null } };
    const resolved: IssueEvent = { type: 'IssueResolved', data: { taskId: null, by: 'user:1', resolution: 'mended' } };
    const closed: IssueEvent = { type: 'IssueClosed', data: { reason: 'done' } };
    expect(after(started)).toMatchObject({ state: 'in-progress' });
    expect(after(started, resolved, closed)).toMatchObject({
      ...{ state: 'closed', resolution: 'mended', reason: 'done', resolvedAt: timeOf(2), closedAt: timeOf(3) },
    });
    expect(after(started, resolved, closed, { type: 'IssueReopened', data: { reason: 'not so' } })).toMatchObject({
      ...{ state: 'open', resolution: null, reason: 'not so', resolvedAt: null, closedAt: null },
    });
  });

  it('names its tasks, and how the last one ended', () => {
    const turned: IssueEvent = { type: 'IssueTurnedIntoTask', data: { taskId } };
    const failed: IssueEvent = { type: 'IssueTaskEnded', data: { taskId, outcome: 'failed', reason: 'red' } };
    expect(after(turned, { type: 'IssueStarted', data: { taskId } }, failed)).toMatchObject({
      ...{ state: 'open', taskId, taskIds: [taskId], reason: `task ${taskId} failed: red` },
    });
  });
});
