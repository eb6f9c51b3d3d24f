import { z } from 'zod';
import { defineReadModel, revision, time, type RowOf } from '../../define-row.ts';
import { uuid } from '../../values.ts';
import { issuePriority } from './events.ts';

export const issueStates = ['open', 'in-progress', 'resolved', 'closed'] as const;

/** `asking`: agents are asked; `unassigned`: nobody took it, or it was taken from somebody. */
export const issueAssignments = ['none', 'asking', 'assigned', 'unassigned'] as const;

export const issueRow = z.strictObject({
  id: uuid,
  revision,
  state: z.enum(issueStates),
  title: z.string(),
  description: z.string().describe('personal'),
  priority: issuePriority,
  urgency: z.int().min(1).max(4).describe('its priority as a number: 1 is critical'),
  labels: z.array(z.string()),
  capabilities: z.array(z.string()).describe('what an agent must be able to do to be asked'),
  repository: z.string().nullable(),
  reporter: z.string().describe('who reported it: agent:<id>, user:<id> or key:<id>'),
  assignee: z.string().nullable().describe('who is to do it, named in the same way'),
  assignment: z.enum(issueAssignments),
  unassignedReason: z.string().nullable().describe('why nobody has it: "nobody accepted", say'),
  offeredTo: z.string().nullable().describe('the agent that is asked now'),
  offerEndsAt: time.nullable().describe('until when it may answer; the next one is asked then'),
  taskId: uuid.nullable().describe('the task that it was last turned into, and follows'),
  taskIds: z.array(uuid).describe('every task that it was turned into, the last hundred'),
  resolution: z.string().nullable().describe('personal'),
  reason: z.string().nullable().describe('why it was last closed or reopened, or how its task ended'),
  createdAt: time,
  updatedAt: time,
  resolvedAt: time.nullable(),
  closedAt: time.nullable(),
});
export type IssueRow = RowOf<typeof issueRow>;

export const issueModel = defineReadModel({
  name: 'issues',
  version: 1,
  table: 'issues',
  streams: ['issue'],
  schema: issueRow,
});
