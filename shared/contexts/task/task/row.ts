import { z } from 'zod';
import { complexity, taskResult, taskSource } from './events.ts';
import { defineReadModel, revision, time, type RowOf } from '../../define-row.ts';
import { commit, failure, uuid } from '../../values.ts';

export const taskStates = ['pending', 'in-progress', 'validation', 'complete', 'failed', 'cancelled'] as const;

export const taskRow = z.strictObject({
  id: uuid,
  revision,
  state: z.enum(taskStates),
  title: z.string(),
  description: z.string().describe('personal'),
  priority: z.int().min(1).max(5).describe('1 is most urgent'),
  labels: z.array(z.string()),
  metadata: z.record(z.string(), z.string()),
  capabilities: z.array(z.string()).describe('what an agent must be able to do to take it'),
  repository: z.string().nullable(),
  parentId: uuid.nullable(),
  subtasks: z.array(uuid).describe('its work is done by these; empty: by itself'),
  sourceKind: taskSource.shape.kind,
  sourceReference: z.string().nullable().describe('where the request came from, as its system names it'),
  sourceUrl: z.string().nullable(),
  requester: z.string().nullable().describe('personal'),
  assignee: z.string().nullable(),
  complexity: complexity.nullable(),
  claimId: uuid.nullable().describe('the claim that holds it now, or under which it ended'),
  agentId: uuid.nullable(),
  runtime: z
    .enum(['command', 'remote'])
    .nullable()
    .describe('command: Workledger runs the agent; remote: the agent works by itself'),
  leaseSeconds: z.int().nullable(),
  claimedAt: time.nullable(),
  progressNote: z.string().nullable(),
  progressPercent: z.number().nullable(),
  submittedCommit: commit.nullable(),
  attempts: z.int().describe('how often it was claimed, but for agents that met a limit of use'),
  sentBack: z.int().describe('how often validation sent it back'),
  result: taskResult.nullable(),
  failure: failure.nullable(),
  reason: z.string().nullable().describe('why it was last cancelled, released, sent back or retried'),
  pullRequest: z
    .strictObject({ number: z.int(), url: z.string() })
    .nullable()
    .describe('that offers its work on the host of its repository'),
  createdAt: time,
  waitingSince: time.describe('since when it asks for an agent: created or retried'),
  updatedAt: time,
  finishedAt: time.nullable(),
});
export type TaskRow = RowOf<typeof taskRow>;

export const taskModel = defineReadModel({
  name: 'tasks',
  version: 1,
  table: 'tasks',
  streams: ['task'],
  schema: taskRow,
});
