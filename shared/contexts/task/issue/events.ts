import { z } from 'zod';
import { defineStreamType, personal, type EventOf } from '../../define-events.ts';
import { uuid } from '../../values.ts';

export const issuePriority = z.enum(['low', 'medium', 'high', 'critical']);

/** An agent or a person, as the actor of what they send. */
const participant = z.string();

const details = {
  title: z.string(),
  description: personal('reporter'),
  priority: issuePriority,
  labels: z.array(z.string()),
  /** What an agent must be able to do to be asked whether it takes it. */
  capabilities: z.array(z.string()),
};

/** Which offer: the round of asking, and which in it, both from 1. */
const offer = { round: z.int().min(1), number: z.int().min(1), agentId: uuid };

export const issueEvents = defineStreamType({
  type: 'issue',
  context: 'task',
  events: {
    IssueReported: {
      version: 1,
      schema: z.strictObject({ ...details, repository: z.string().nullable(), reporter: participant }),
    },
    IssueDetailsChanged: { version: 1, schema: z.strictObject(details).partial() },
    /** Agents that can do it are asked, one after the other. */
    IssueAssignmentRequested: {
      version: 1,
      schema: z.strictObject({ round: offer.round, acceptWithinSeconds: z.int().min(1) }),
    },
    IssueOffered: { version: 1, schema: z.strictObject({ ...offer, acceptWithinSeconds: z.int().min(1) }) },
    IssueOfferEnded: {
      version: 1,
      schema: z.strictObject({
        ...offer,
        /** `left`: its agent was deregistered; `withdrawn`: nobody is asked any more. */
        outcome: z.enum(['accepted', 'declined', 'expired', 'left', 'withdrawn']),
        reason: z.string().nullable(),
      }),
    },
    IssueAssignmentEnded: {
      version: 1,
      schema: z.strictObject({
        round: offer.round,
        /** `nobody-can`: nobody was asked. */
        outcome: z.enum(['accepted', 'nobody-accepted', 'nobody-can', 'withdrawn']),
      }),
    },
    IssueAssigned: { version: 1, schema: z.strictObject({ assignee: participant }) },
    IssueUnassigned: { version: 1, schema: z.strictObject({ assignee: participant, reason: z.string() }) },
    IssueStarted: {
      version: 1,
      schema: z.strictObject({
        /** Whose start it is; null: of its assignee, by hand. */
        taskId: uuid.nullable(),
      }),
    },
    IssueResolved: {
      version: 1,
      schema: z.strictObject({ taskId: uuid.nullable(), by: participant, resolution: personal('by').nullable() }),
    },
    IssueClosed: { version: 1, schema: z.strictObject({ reason: z.string() }) },
    IssueReopened: { version: 1, schema: z.strictObject({ reason: z.string() }) },
    /** The task does the work, and the issue follows it. */
    IssueTurnedIntoTask: { version: 1, schema: z.strictObject({ taskId: uuid }) },
    /** Its task ended without a result: the issue is open again. */
    IssueTaskEnded: {
      version: 1,
      schema: z.strictObject({ taskId: uuid, outcome: z.enum(['failed', 'cancelled']), reason: z.string() }),
    },
  },
});
export type IssueEvent = EventOf<typeof issueEvents>;
