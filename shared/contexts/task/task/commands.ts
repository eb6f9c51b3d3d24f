import { operators, workers, defineCommands } from '../../define-commands.ts';
import { z } from 'zod';
import { complexity, LATER_STEPS, taskEvents, taskSource } from './events.ts';
import { artefact, commit, failure } from '../../values.ts';
import { text, uuid, word } from '../../text.ts';

const { TaskCompleted } = taskEvents.events;

const description = text(65_536);
/** What somebody says of it. */
const saidComplexity = complexity.omit({ estimated: true });
const labels = z.array(word).max(50);
const metadata = z.record(word, text(2_000)).refine((value) => Object.keys(value).length <= 50, 'at most 50 entries');
const reason = text(1_000, 1);
/** What a person says of work. */
const words = text(10_000, 1);

const details = {
  title: text(300, 1),
  description,
  priority: z.int().min(1).max(5),
  labels,
  metadata,
  assignee: text(200, 1).nullable(),
  complexity: saidComplexity.nullable(),
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
  complexity: details.complexity.default(null).describe('left out, or null: it is estimated'),
};

export const taskCommands = defineCommands({
  'task.create': {
    data: z.strictObject({
      ...newTask,
      parentId: uuid.nullable().default(null),
      source: taskSource.default({ kind: 'api', reference: null, url: null }),
      requester: text(200).nullable().default(null),
    }),
    roles: operators,
    inWorkflows: true,
    creates: true,
  },
  /** Creates the task that a routed webhook delivery asks for; what it says is read from the delivery's own stream. */
  'task.create-from-delivery': { data: z.strictObject({ deliveryId: uuid }), sentBy: ['saga'] },
  /** Creates the task that an issue was turned into; what it says is read from the issue's own stream. */
  'task.create-from-issue': { data: z.strictObject({ issueId: uuid }), sentBy: ['saga'] },
  'task.change': {
    data: z.strictObject({
      title: details.title.optional(),
      description: description.optional(),
      priority: details.priority.optional(),
      labels: labels.optional(),
      metadata: metadata.optional(),
      assignee: details.assignee.optional(),
      complexity: details.complexity.optional(),
    }),
    roles: operators,
    inWorkflows: true,
  },
  /** By its status, for callers that know no intentions. */
  'task.set-status': {
    data: z.strictObject({
      status: z
        .enum(['pending', 'in-progress', 'validation', 'complete', 'completed', 'cancelled'])
        .describe('completed is another name of complete; a task fails by its work, so nobody sets that'),
      agentId: uuid
        .nullable()
        .default(null)
        .describe('of in-progress: for whom; default: the assignee, if it is an agent'),
      claimId: uuid.nullable().default(null).describe('of what is submitted; default: the current one'),
      commit: commit.nullable().default(null).describe('of what is submitted'),
      summary: text(20_000).nullable().default(null).describe('of what is submitted'),
      reason: reason.nullable().default(null).describe('of pending and cancelled'),
    }),
    roles: operators,
    alone: true,
  },
  'task.add-dependency': { data: z.strictObject({ dependsOn: uuid }), roles: operators, inWorkflows: true },
  'task.remove-dependency': { data: z.strictObject({ dependsOn: uuid }), roles: operators, inWorkflows: true },
  'task.expand': {
    data: z.strictObject({ subtasks: z.array(z.strictObject(newTask)).min(1).max(50) }),
    roles: operators,
    inWorkflows: true,
  },
  /**
   * Ends an expansion that was left half done: unless the task says by now that it is expanded into them, it never will, and they
   * are cancelled. Answers `details.missing`, those that are not there.
   */
  'task.give-up-expansion': { data: z.strictObject({ subtasks: z.array(uuid).min(1).max(50) }), sentBy: ['saga'] },
  /** Claims this task for an agent: reserves the agent first. */
  'task.claim': { data: z.strictObject({ agentId: uuid }), roles: workers },
  'task.renew': { data: z.strictObject({ claimId: uuid }), roles: workers, sentBy: ['agent'] },
  'task.report-progress': {
    data: z.strictObject({
      claimId: uuid,
      note: text(4_000),
      percent: z.number().min(0).max(100).nullable().default(null),
    }),
    roles: workers,
    sentBy: ['saga'],
  },
  'task.submit': {
    data: z.strictObject({
      claimId: uuid,
      commit: commit.nullable(),
      summary: text(20_000).nullable().default(null),
    }),
    roles: workers,
    sentBy: ['saga'],
  },
  /** `questionId`: an approval, whose answer has the words of whoever sent it back. */
  'task.send-back': {
    data: z.strictObject({ claimId: uuid, reason, report: artefact.nullable(), questionId: uuid.optional() }),
    sentBy: ['saga'],
  },
  'task.await-approval': { data: taskEvents.events.TaskApprovalAsked.schema, sentBy: ['saga'] },
  'task.note-pull-request': { data: taskEvents.events.TaskPullRequestOpened.schema, sentBy: ['saga'] },
  /** Without effect where its run waits for none. */
  'task.notice-pull-request': { data: z.strictObject({}), sentBy: ['saga'] },
  'task.approve': {
    data: z.strictObject({
      commit: commit.optional().describe('refused if the approval that is asked for is of another one'),
      words: words.nullable().default(null),
    }),
    roles: operators,
  },
  'task.refuse': { data: z.strictObject({ words }), roles: operators },
  /** The next attempt reads the words: of work that is to be approved, or of a task that failed or was cancelled. */
  'task.ask-changes': { data: z.strictObject({ words }), roles: operators },
  /** `limit`: the agent met a limit of use, so this was no attempt. */
  'task.release': {
    data: z.strictObject({ claimId: uuid, reason, limit: z.literal(true).optional() }),
    roles: workers,
    sentBy: ['saga'],
  },
  /** Takes the task from an agent whose lease has run out; answers `details.dueAt` while it has not. */
  'task.expire-claim': {
    data: z.strictObject({ claimId: uuid }),
    // Sagas of the version before watched leases: what they had asked for may still be on its way.
    sentBy: ['command-service', 'saga'],
  },
  'task.complete': {
    data: TaskCompleted.schema.omit({ parentId: true, issueId: true }).extend({ claimId: uuid.nullable() }),
    sentBy: ['saga'],
  },
  'task.complete-parent': { data: z.strictObject({}), sentBy: ['saga'] },
  'task.fail': {
    data: z.strictObject({ claimId: uuid.nullable(), failure, questionId: uuid.optional() }),
    sentBy: ['saga'],
  },
  'task.cancel': {
    data: z.strictObject({ reason: reason.default('cancelled on request') }),
    roles: operators,
    inWorkflows: true,
    sentBy: ['saga'],
  },
  /** Goes on where the cancellation of a task stopped: with its subtasks, and the whole that it is a part of. */
  'task.finish-cancellation': { data: z.strictObject({}), sentBy: ['saga'] },
  /** From `generate` an agent begins anew; from a later step the newest commit goes on that earlier runs made for it. */
  'task.retry': {
    data: z.strictObject({
      reason: reason.default('retried on request'),
      from: z
        .enum(['generate', ...LATER_STEPS])
        .optional()
        .describe(
          'default: generate, an agent begins anew. Later steps need no agent: they take the commit that earlier runs made',
        ),
    }),
    roles: operators,
    inWorkflows: true,
  },
});
