import { streamId } from '@workledger/shared/contexts/stream.ts';
import type { IssueEvent } from '@workledger/shared/contexts/task/issue/events.ts';
import { issueModel, type IssueRow } from '@workledger/shared/contexts/task/issue/row.ts';
import { defineProjection, existing, type Recorded } from '../engine/projection.ts';
import { issuesMigrations } from './migration.ts';

type Reported = Extract<Recorded<IssueEvent>, { type: 'IssueReported' }>;
type Later = Exclude<Recorded<IssueEvent>, { type: 'IssueReported' }>;

const URGENCY = { critical: 1, high: 2, medium: 3, low: 4 } as const;
const MOST_TASKS = 100;

const reported = ({ stream, revision, data }: Reported, at: string): IssueRow => ({
  id: streamId(stream),
  revision,
  state: 'open',
  ...data,
  urgency: URGENCY[data.priority],
  assignee: null,
  assignment: 'none',
  unassignedReason: null,
  offeredTo: null,
  offerEndsAt: null,
  taskId: null,
  taskIds: [],
  resolution: null,
  reason: null,
  createdAt: at,
  updatedAt: at,
  resolvedAt: null,
  closedAt: null,
});

const NOT_OFFERED = { offeredTo: null, offerEndsAt: null } as const;
const AFTER_A_ROUND = {
  accepted: {},
  withdrawn: { assignment: 'none' },
  'nobody-accepted': { assignment: 'unassigned', unassignedReason: 'nobody accepted' },
  'nobody-can': { assignment: 'unassigned', unassignedReason: 'no agent that is there has its capabilities' },
} as const;

/** What an event changes, beside revision and time. */
function changes(row: IssueRow, event: Later): Partial<IssueRow> {
  const at = event.recordedAt.toISOString();
  switch (event.type) {
    case 'IssueDetailsChanged': {
      const { priority } = event.data;
      const changed = Object.entries(event.data).filter(([, value]) => value !== undefined);
      return { ...Object.fromEntries(changed), ...(priority && { urgency: URGENCY[priority] }) };
    }
    case 'IssueAssignmentRequested':
      return { assignment: 'asking', unassignedReason: null };
    case 'IssueOffered': {
      const { agentId, acceptWithinSeconds } = event.data;
      const endsAt = new Date(event.recordedAt.getTime() + acceptWithinSeconds * 1_000);
      return { offeredTo: `agent:${agentId}`, offerEndsAt: endsAt.toISOString() };
    }
    case 'IssueOfferEnded':
      return NOT_OFFERED;
    case 'IssueAssignmentEnded':
      return AFTER_A_ROUND[event.data.outcome];
    case 'IssueAssigned':
      return { assignee: event.data.assignee, assignment: 'assigned', unassignedReason: null };
    case 'IssueUnassigned': {
      const { reason } = event.data;
      return { assignee: null, assignment: 'unassigned', unassignedReason: reason, state: 'open' };
    }
    case 'IssueStarted':
      return { state: 'in-progress' };
    case 'IssueResolved':
      return { state: 'resolved', resolution: event.data.resolution, resolvedAt: at };
    case 'IssueClosed':
      return { state: 'closed', reason: event.data.reason, closedAt: at };
    case 'IssueReopened':
      return { state: 'open', reason: event.data.reason, resolution: null, resolvedAt: null, closedAt: null };
    case 'IssueTurnedIntoTask': {
      const { taskId } = event.data;
      return { taskId, taskIds: [...row.taskIds, taskId].slice(-MOST_TASKS) };
    }
    case 'IssueTaskEnded': {
      const { taskId, outcome, reason } = event.data;
      return {
        state: 'open',
        reason: `task ${taskId} ${outcome === 'failed' ? 'failed' : 'was cancelled'}: ${reason}`,
      };
    }
  }
}

export const issues = defineProjection<IssueRow, Recorded<IssueEvent>>(issueModel, {
  migrations: issuesMigrations,
  key: ({ stream }) => [streamId(stream)],
  fold: (known, event) => {
    const at = event.recordedAt.toISOString();
    if (event.type === 'IssueReported') return reported(event, at);
    const row = existing(known, event);
    return { ...row, ...changes(row, event), revision: event.revision, updatedAt: at };
  },
});
