import { z } from 'zod';
import { defineCommands, operators, workers } from '../../define-commands.ts';
import { participant } from '../../participant.ts';
import { text, uuid, word } from '../../text.ts';
import { issuePriority } from './events.ts';
import { issueStates } from './row.ts';

const reason = text(1_000, 1);
const round = z.int().min(1);

/** As names are here, and as others write them: `InProgress` for `in-progress`. */
const named = <const Name extends string>(names: readonly Name[], others: Readonly<Record<string, Name>>) =>
  z
    .enum<readonly string[]>([...names, ...Object.keys(others)])
    .transform((name): string => others[name] ?? name)
    .pipe(z.enum(names));
export const priorityName = named(issuePriority.options, {
  ...{ Low: 'low', Medium: 'medium', High: 'high', Critical: 'critical' },
});
export const statusName = named(issueStates, {
  ...{ Open: 'open', InProgress: 'in-progress', Resolved: 'resolved', Closed: 'closed' },
});

const details = {
  title: text(300, 1),
  description: text(65_536),
  priority: priorityName,
  labels: z.array(word).max(50),
  capabilities: z.array(word).max(20),
};

export const issueCommands = defineCommands({
  'issue.create': {
    data: z.strictObject({
      title: details.title,
      description: details.description.default(''),
      priority: details.priority.default('medium'),
      labels: details.labels.default([]),
      capabilities: details.capabilities.default([]),
      repository: text(200, 1).nullable().default(null),
    }),
    roles: workers,
    inWorkflows: true,
    creates: true,
  },
  'issue.change': { data: z.strictObject(details).partial(), roles: operators, inWorkflows: true },
  /** All at once, for callers that know no intentions: what it is already is nothing to do. */
  'issue.update': {
    data: z.strictObject({
      ...z.strictObject(details).partial().shape,
      status: statusName.optional().describe('started, resolved, closed or reopened by it'),
      assignee: participant.nullable().optional().describe('null: nobody'),
      resolution: text(20_000, 1).nullable().default(null).describe('of resolved'),
      reason: reason.nullable().default(null).describe('of closed and open, and of an assignee that is taken away'),
    }),
    roles: operators,
    alone: true,
  },
  /** To somebody; without an assignee agents that can do it are asked, one after the other. */
  'issue.assign': {
    data: z.strictObject({
      assignee: participant.nullable().default(null),
      byCapability: z.boolean().default(false).describe('agents are asked; not together with an assignee'),
      acceptWithinSeconds: z
        .int()
        .min(1)
        .max(604_800)
        .nullable()
        .default(null)
        .describe('how long each agent has to answer; null: as configured'),
    }),
    roles: operators,
    inWorkflows: true,
  },
  'issue.unassign': {
    data: z.strictObject({ reason: reason.default('unassigned on request') }),
    roles: operators,
    inWorkflows: true,
  },
  'issue.accept': { data: z.strictObject({}), roles: workers },
  'issue.decline': { data: z.strictObject({ reason: reason.nullable().default(null) }), roles: workers },
  'issue.start': { data: z.strictObject({}), roles: workers, inWorkflows: true },
  'issue.resolve': {
    data: z.strictObject({ resolution: text(20_000, 1).nullable().default(null) }),
    roles: workers,
    inWorkflows: true,
  },
  'issue.close': {
    data: z.strictObject({ reason: reason.default('closed on request') }),
    roles: operators,
    inWorkflows: true,
  },
  'issue.reopen': {
    data: z.strictObject({ reason: reason.default('reopened on request') }),
    roles: operators,
    inWorkflows: true,
  },
  /** Answers `details.taskId`. */
  'issue.turn-into-task': { data: z.strictObject({}), roles: operators, inWorkflows: true },
  /** Asks the next agent of a round, or ends it where there is none left. */
  'issue.offer': { data: z.strictObject({ round, number: round }), sentBy: ['saga'] },
  'issue.expire-offer': { data: z.strictObject({ round, number: round }), sentBy: ['saga'] },
  'issue.follow-task': {
    data: z.strictObject({
      taskId: uuid,
      became: z.enum(['started', 'complete', 'failed', 'cancelled']),
      reason: text(1_000).nullable(),
    }),
    sentBy: ['saga'],
  },
});
