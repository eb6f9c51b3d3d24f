import { z } from 'zod';
import { defineStreamType, personal, type EventOf } from '../../define-events.ts';
import { artefact, commit, cost, diffStat, failure, metrics, pluginProvider, uuid } from '../../values.ts';

export const taskSource = z.strictObject({
  kind: z.union([z.enum(['api', 'mcp', 'github', 'linear', 'slack', 'gitlab', 'gitea']), pluginProvider]),
  /** Where the request came from, as its system names it: `owner/repository#12`. */
  reference: z.string().nullable(),
  url: z.string().nullable(),
});

export const complexity = z.strictObject({
  level: z.enum(['low', 'medium', 'high']),
  score: z.number().min(0).max(100),
  reason: z.string(),
  /** Workledger's own estimate; left out: somebody said it, and it stands. */
  estimated: z.literal(true).optional(),
});
export type Complexity = z.infer<typeof complexity>;

export const taskResult = z.strictObject({
  commit: commit.nullable(),
  branch: z.string().nullable(),
  merged: z.boolean(),
  diffStat: diffStat.nullable(),
  metricsBefore: metrics.nullable(),
  metricsAfter: metrics.nullable(),
  costUsd: cost,
  durationMs: z.int().min(0),
});
export type TaskResult = z.infer<typeof taskResult>;

/** What a person said of the work, and who it was; left out: nobody did. */
const said = { words: personal('by').optional(), by: z.string().optional() };

/** Steps from which a task may be retried with what was made before, in their order. */
export const LATER_STEPS = ['evolve', 'validate', 'merge'] as const;

/** The issue that follows the task; left out: none does. */
const issueId = uuid.optional();

/** Where else than at its source a task is told of. */
const alsoTold = z.strictObject({
  kind: z.enum(['slack', 'linear']),
  /** A channel of Slack; for Linear the URL of its source, to which an issue may be attached. null: the source has none. */
  place: z.string().nullable(),
});

export type AlsoTold = z.infer<typeof alsoTold>[];

/** What becomes of the task is told elsewhere, too; left out: it is not. */
const isAlsoTold = z.literal(true).optional();

export const taskEvents = defineStreamType({
  type: 'task',
  context: 'task',
  events: {
    TaskCreated: {
      version: 1,
      schema: z.strictObject({
        title: z.string(),
        description: personal('requester'),
        /** 1 is most urgent. */
        priority: z.int().min(1).max(5),
        labels: z.array(z.string()),
        metadata: z.record(z.string(), z.string()),
        /** What an agent must be able to do to take this task. */
        capabilities: z.array(z.string()),
        repository: z.string().nullable(),
        dependencies: z.array(uuid),
        parentId: uuid.nullable(),
        source: taskSource,
        requester: personal('requester').nullable(),
        issueId,
        /** Left out: nowhere. */
        alsoTold: z.array(alsoTold).min(1).optional(),
        assignee: z.string().nullable(),
        complexity: complexity.nullable(),
      }),
    },
    TaskDetailsChanged: {
      version: 1,
      schema: z.strictObject({
        title: z.string().optional(),
        description: personal('requester').optional(),
        priority: z.int().min(1).max(5).optional(),
        labels: z.array(z.string()).optional(),
        metadata: z.record(z.string(), z.string()).optional(),
        assignee: z.string().nullable().optional(),
        complexity: complexity.nullable().optional(),
      }),
    },
    TaskExpanded: { version: 1, schema: z.strictObject({ subtasks: z.array(uuid).min(1) }) },
    /** It will never be expanded into these: what there is of them is cancelled. */
    TaskExpansionGivenUp: { version: 1, schema: z.strictObject({ subtasks: z.array(uuid).min(1) }) },
    TaskClaimed: {
      version: 1,
      schema: z.strictObject({
        claimId: uuid,
        agentId: uuid,
        /** `command`: Workledger runs it; `remote`: it works by itself and submits a commit. */
        runtime: z.enum(['command', 'remote']),
        /** What the task may cost, and what its runs before this one did, US dollars; left out: no limit. */
        budget: z.strictObject({ limitUsd: z.number().min(0), spentUsd: z.number().min(0) }).optional(),
        repository: z.string().nullable(),
        leaseSeconds: z.int().min(1),
        /** The revision of the configuration that this run goes by to its end; -1: the file alone. Left out: the newest. */
        configuration: z.int().min(-1).optional(),
        /** Of a task that was retried from a later step: where this run goes on, with what earlier runs made. No agent works under it. */
        from: z.enum(LATER_STEPS).optional(),
        commit: commit.optional(),
        /** Where that commit's work started. */
        base: commit.optional(),
        issueId,
        isAlsoTold,
      }),
    },
    TaskProgressReported: {
      version: 1,
      schema: z.strictObject({ claimId: uuid, note: z.string(), percent: z.number().min(0).max(100).nullable() }),
    },
    TaskWorkSubmitted: {
      version: 1,
      schema: z.strictObject({ claimId: uuid, commit: commit.nullable(), summary: z.string().nullable() }),
    },
    /** Its work is good, and is merged when somebody approves it. */
    TaskApprovalAsked: { version: 1, schema: z.strictObject({ claimId: uuid, questionId: uuid, commit, isAlsoTold }) },
    /** Its work is offered on the host of its repository. */
    TaskPullRequestOpened: {
      version: 1,
      schema: z.strictObject({ claimId: uuid, number: z.int().positive(), url: z.string() }),
    },
    /** Its host tells of it: whoever waits looks at it now. */
    TaskPullRequestNoticed: { version: 1, schema: z.strictObject({ claimId: uuid }) },
    TaskSentBack: {
      version: 1,
      schema: z.strictObject({ claimId: uuid, reason: z.string(), report: artefact.nullable(), ...said, isAlsoTold }),
    },
    TaskClaimReleased: {
      version: 1,
      schema: z.strictObject({
        claimId: uuid,
        agentId: uuid,
        reason: z.string(),
        /** Its agent met a limit of use: that was no attempt. */
        limit: z.literal(true).optional(),
      }),
    },
    TaskClaimExpired: { version: 1, schema: z.strictObject({ claimId: uuid, agentId: uuid }) },
    TaskCompleted: {
      version: 1,
      schema: z.strictObject({
        claimId: uuid.nullable(),
        parentId: uuid.nullable(),
        result: taskResult,
        issueId,
        isAlsoTold,
      }),
    },
    TaskFailed: {
      version: 1,
      schema: z.strictObject({ claimId: uuid.nullable(), failure, ...said, issueId, isAlsoTold }),
    },
    TaskCancelled: {
      version: 1,
      schema: z.strictObject({
        claimId: uuid.nullable(),
        reason: z.string(),
        /** Whose last part this may be; left out where the whole is cancelled with it. */
        parentId: uuid.optional(),
        /** They are cancelled next. */
        hasSubtasks: z.literal(true).optional(),
        issueId,
        isAlsoTold,
      }),
    },
    TaskRetried: {
      version: 1,
      schema: z.strictObject({
        reason: z.string(),
        /** Left out: an agent begins anew. */
        from: z.enum(LATER_STEPS).optional(),
        ...said,
        isAlsoTold,
      }),
    },
  },
});
export type TaskEvent = EventOf<typeof taskEvents>;
