import { z } from 'zod';
import { role } from '../../agent/key/events.ts';
import { defineStreamType, type EventOf } from '../../define-events.ts';
import { failure, uuid } from '../../values.ts';
import { definitionAsTaken } from '../workflow/events.ts';

/** The step of another run that started it; null: a person did. */
const parent = z.strictObject({ runId: uuid, step: z.string(), depth: z.int().min(1) }).nullable();
export type Parent = z.infer<typeof parent>;

/** What whoever started it was good for then: its steps may do no more. */
const rights = z.strictObject({
  role,
  teams: z.array(z.string()),
  /** Null: all. */
  repositories: z.array(z.string()).nullable(),
});
export type Rights = z.infer<typeof rights>;

const by = z.string();
/** Which entry into a step: it grows when a run is taken up again. */
const entry = { step: z.string(), round: z.int().min(1), attempt: z.int().min(1) };
const ofWorkflow = { workflowId: uuid, parent };

export const workflowRunEvents = defineStreamType({
  type: 'workflow-run',
  context: 'task',
  events: {
    WorkflowRunStarted: {
      version: 1,
      schema: z.strictObject({
        ...ofWorkflow,
        version: z.int().min(1),
        /** As it was then, whatever becomes of the workflow. */
        definition: definitionAsTaken,
        inputs: z.record(z.string(), z.unknown()),
        repository: z.string().nullable(),
        startedBy: by,
        rights,
      }),
    },
    WorkflowRunPaused: { version: 1, schema: z.strictObject({ by, reason: z.string() }) },
    WorkflowRunResumed: { version: 1, schema: z.strictObject({ by }) },
    WorkflowRunCancelAsked: { version: 1, schema: z.strictObject({ by, reason: z.string() }) },
    /** It failed or was cancelled, and goes on: with what failed or was undone, or from these steps on. */
    WorkflowRunRetried: { version: 1, schema: z.strictObject({ by, from: z.array(z.string()) }) },
    /** A step waits for an event. */
    WorkflowRunWaitBegan: {
      version: 1,
      schema: z.strictObject({
        ...entry,
        /** `workledger.<stream type>.<event>` */
        events: z.array(z.string()),
        /** Id of what it happens to; null: of any. */
        of: uuid.nullable(),
        where: z.array(z.strictObject({ field: z.string(), equals: z.unknown() })),
        repositories: z.array(z.string()).nullable(),
      }),
    },
    /** What a step waited for has happened. */
    WorkflowRunEventSeen: {
      version: 1,
      schema: z.strictObject({
        ...entry,
        event: z.strictObject({
          id: uuid,
          type: z.string(),
          stream: z.string(),
          revision: z.int().min(0),
          /** Without what is personal; null: it is too large, look it up. */
          data: z.unknown(),
        }),
      }),
    },
    WorkflowRunCompleted: {
      version: 1,
      schema: z.strictObject({ ...ofWorkflow, outputs: z.record(z.string(), z.unknown()) }),
    },
    WorkflowRunFailed: {
      version: 1,
      schema: z.strictObject({
        ...ofWorkflow,
        failure,
        /** Steps that could not be undone. */
        notUndone: z.array(z.string()),
      }),
    },
    WorkflowRunCancelled: {
      version: 1,
      schema: z.strictObject({ ...ofWorkflow, reason: z.string(), notUndone: z.array(z.string()) }),
    },
  },
});
export type WorkflowRunEvent = EventOf<typeof workflowRunEvents>;
