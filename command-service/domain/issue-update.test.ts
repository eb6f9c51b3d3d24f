import { given } from '@workledger/shared/aggregate/testing.ts';
import type { IssueEvent } from '@workledger/shared/contexts/task/issue/events.ts';
import { describe, it } from 'vitest';
import { issue, type IssueDecisions } from './issue.ts';

const [ann, bob] = ['agent:0190a000-0000-7000-8000-000000000001', 'agent:0190a000-0000-7000-8000-000000000002'];
const operator = 'user:0190a000-0000-7000-8000-0000000000cc';

const details = { title: 'It is slow', description: '', labels: [], capabilities: [], priority: 'high' as const };
const reported: IssueEvent = { type: 'IssueReported', data: { ...details, repository: null, reporter: operator } };
const assigned = (assignee: string): IssueEvent => ({ type: 'IssueAssigned', data: { assignee } });
const unassigned: IssueEvent = { type: 'IssueUnassigned', data: { assignee: ann, reason: 'busy' } };
const started: IssueEvent = { type: 'IssueStarted', data: { taskId: null } };
const resolved: IssueEvent = { type: 'IssueResolved', data: { taskId: null, by: operator, resolution: 'mended' } };
const closed: IssueEvent = { type: 'IssueClosed', data: { reason: 'done' } };
const reopened: IssueEvent = { type: 'IssueReopened', data: { reason: 'again' } };
const changed: IssueEvent = { type: 'IssueDetailsChanged', data: { priority: 'low' } };

const states = {
  missing: [],
  open: [reported],
  working: [reported, assigned(ann), started],
  resolved: [reported, assigned(ann), started, resolved],
  closed: [reported, closed],
} satisfies Record<string, readonly IssueEvent[]>;

const when = (name: keyof typeof states, wanted: Partial<IssueDecisions['issue.update']>) =>
  given(issue, ...states[name]).when(
    'issue.update',
    { resolution: null, reason: null, ...wanted },
    { actor: operator },
  );

describe('an issue that is changed as a whole', () => {
  it('goes the way of an issue: started, resolved, closed, reopened', () => {
    when('open', { status: 'in-progress', assignee: ann }).then(assigned(ann), started);
    when('working', { status: 'resolved', resolution: 'mended' }).then(resolved);
    when('resolved', { status: 'closed', reason: 'done' }).then(closed);
    when('closed', { status: 'open', reason: 'again', priority: 'low' }).then(reopened, changed);
  });

  it('is given to somebody else, or to nobody, and can be started by that', () => {
    when('working', { assignee: bob }).then(assigned(bob));
    when('working', { assignee: null, reason: 'busy' }).then(unassigned);
    when('working', { assignee: null, reason: 'busy', status: 'in-progress' }).then(unassigned, started);
  });

  it('is nothing to do where all of it is so', () => {
    when('closed', { status: 'closed', assignee: null }).then();
    when('working', { status: 'in-progress', assignee: ann, title: 'It is slow' }).then();
    when('closed', {}).then();
  });

  it('is refused as a whole where a part of it cannot be', () => {
    when('open', { title: 'new', status: 'resolved' }).thenRefused('illegal-transition');
    when('working', { status: 'open' }).thenRefused('illegal-transition');
    when('closed', { title: 'new', status: 'in-progress' }).thenRefused('illegal-transition');
    when('missing', {}).thenRefused('not-found');
  });
});
