import { z } from 'zod';
import { complexity, taskEvents, taskSource } from './events.ts';
import { artefact, commit, failure } from '../../values.ts';
import { text, uuid, word } from '../../text.ts';

const { TaskCompleted } = taskEvents.events;

const description = text(65_536);
const labels = z.array(word).max(50);
const metadata = z.record(word, text(2_000)).refine((value) => Object.keys(value).length <= 50, 'at most 50 entries');
const reason = text(1_000, 1);

const details = {
  title: text(300, 1),
  description,
  priority: z.int().min(1).max(5),
  labels,
  metadata,
  assignee: text(200, 1).nullable(),
  complexity: complexity.nullable(),
};

const newTask = {
  title: details.title,
  description: description.default(''),
  priority: details.priority.default(3),
  labels: labels.default([]),
  metadata: metadata.default({}),
  capabilities: z.array(word).max(20).default([]),
  repository: text(200, 1).nullable().default(null),
  dependencies: z.array(uuid).max(100).default([]),
  assignee: details.assignee.default(null),
  complexity: complexity.nullable().default(null),
};

export const taskCommands = {
  'task.create': z.strictObject({
    ...newTask,
    parentId: uuid.nullable().default(null),
    source: taskSource.default({ kind: 'api', reference: null, url: null }),
    requester: text(200).nullable().default(null),
  }),
  /** Creates the task that a routed webhook delivery asks for; what it says is read from the delivery's own stream. */
  'task.create-from-delivery': z.strictObject({ deliveryId: uuid }),
  'task.change': z.strictObject({
    title: details.title.optional(),
    description: description.optional(),
    priority: details.priority.optional(),
    labels: labels.optional(),
    metadata: metadata.optional(),
    assignee: details.assignee.optional(),
    complexity: details.complexity.optional(),
  }),
  'task.add-dependency': z.strictObject({ dependsOn: uuid }),
  'task.remove-dependency': z.strictObject({ dependsOn: uuid }),
  'task.expand': z.strictObject({ subtasks: z.array(z.strictObject(newTask)).min(1).max(50) }),
  /** Claims this task for an agent: reserves the agent first. */
  'task.claim': z.strictObject({ agentId: uuid }),
  'task.renew': z.strictObject({ claimId: uuid }),
  'task.report-progress': z.strictObject({
    claimId: uuid,
    note: text(4_000),
    percent: z.number().min(0).max(100).nullable().default(null),
  }),
  'task.submit': z.strictObject({
    claimId: uuid,
    commit: commit.nullable(),
    summary: text(20_000).nullable().default(null),
  }),
  'task.send-back': z.strictObject({ claimId: uuid, reason, report: artefact.nullable() }),
  'task.release': z.strictObject({ claimId: uuid, reason }),
  /** Takes the task from an agent whose lease has run out; answers `details.dueAt` while it has not. */
  'task.expire-claim': z.strictObject({ claimId: uuid }),
  'task.complete': TaskCompleted.schema.omit({ parentId: true }).extend({ claimId: uuid.nullable() }),
  'task.complete-parent': z.strictObject({}),
  'task.fail': z.strictObject({ claimId: uuid.nullable(), failure }),
  'task.cancel': z.strictObject({ reason: reason.default('cancelled on request') }),
  'task.retry': z.strictObject({ reason: reason.default('retried on request') }),
} as const;
