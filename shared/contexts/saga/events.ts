import { z } from 'zod';
import { defineStreamType, type EventOf, type StreamTypeDefinition } from '../define-events.ts';
import { agentTold, artefact, cost, failure, fault } from '../values.ts';

/** An effect as data: what is to be done, under a key that stays the same however often processes die. */
export const effect = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('command'),
    key: z.string(),
    /** Command type, such as `task.complete`. */
    type: z.string(),
    /** Id of the aggregate it is for. */
    target: z.uuid(),
    data: z.unknown(),
  }),
  z.strictObject({
    kind: z.literal('call'),
    key: z.string(),
    component: z.string(),
    request: z.unknown(),
    timeoutSeconds: z.number().min(0),
    /** Where it fails it is given up, and stands under what is parked until somebody asks for it once more. */
    parksFailure: z.literal(true).optional(),
  }),
  z.strictObject({ kind: z.literal('timer'), key: z.string(), dueAt: z.iso.datetime() }),
]);
export type Effect = z.infer<typeof effect>;

/** `waiting`: between two attempts; `sent-back`: an earlier step is due again; `cancelled`: it was under way when all ended. */
const STEP_STATES = [
  'started',
  'waiting',
  'succeeded',
  'skipped',
  'sent-back',
  'failed',
  'cancelled',
  'compensating',
  'compensated',
] as const;

export const sagaEvents = {
  /** The event of another stream that led to what follows in the same append. */
  SagaInputReceived: {
    version: 1,
    holds: true,
    schema: z.strictObject({
      source: z.strictObject({
        stream: z.string(),
        revision: z.int().min(0),
        eventId: z.uuid(),
        /** In the log, whose order is that of acceptance; missing in what was recorded before it was kept. */
        position: z.string().regex(/^\d+$/).optional(),
      }),
      type: z.string(),
      /** Of `data`; missing where it is 1, before versions were kept. */
      version: z.int().min(1).optional(),
      data: z.unknown(),
    }),
  },
  SagaEffectRequested: { version: 1, schema: z.strictObject({ effect }) },
  SagaEffectSucceeded: { version: 1, schema: z.strictObject({ key: z.string(), result: z.unknown() }) },
  SagaEffectFailed: {
    version: 1,
    schema: z.strictObject({
      key: z.string(),
      failure,
      /** False: trying again cannot help. */
      retryable: z.boolean(),
      /** What the attempt cost and was told all the same, where that is known. */
      costUsd: cost,
      prompt: artefact.nullable(),
      /** Missing in what was recorded before it was kept, and for commands. */
      fault: fault.optional(),
      /** When a limit ends, where the component named a time. */
      until: z.iso.datetime().optional(),
      /** What an agent told of its work all the same. */
      agent: agentTold.optional(),
    }),
  },
  /** A stop of the process ended it before its end. It is still asked for, and begins anew. */
  SagaEffectInterrupted: {
    version: 1,
    schema: z.strictObject({
      key: z.string(),
      failure,
      /** How often that happened to it by now. */
      times: z.int().min(1),
    }),
  },
  /** It cannot be done now and is tried again by and by, however long that takes. Recorded once a reason. */
  SagaEffectPostponed: { version: 1, schema: z.strictObject({ key: z.string(), failure }) },
  SagaEffectCancelled: { version: 1, schema: z.strictObject({ key: z.string() }) },
  SagaStepChanged: {
    version: 1,
    schema: z.strictObject({
      step: z.string(),
      /** How often this step was entered, from 1: it grows when work is sent back. */
      round: z.int().min(1),
      /** Try within the round, from 1. */
      attempt: z.int().min(1),
      state: z.enum(STEP_STATES),
      detail: z.unknown(),
    }),
  },
  SagaEnded: {
    version: 1,
    schema: z.strictObject({ outcome: z.enum(['completed', 'failed', 'cancelled']), failure: failure.nullable() }),
  },
} as const;

/** Every saga there is. What runs under a name is in `sagas/start.ts`: neither compiles without the other. */
const sagaNames = [
  'code-evolution',
  'issue-assignment',
  'issue-task',
  'installation',
  'onboarding',
  'pull-request-review',
  'questions',
  'subtasks',
  'replies',
  'workflow',
  'task-assignment',
] as const;
export type SagaName = (typeof sagaNames)[number];

/** The stream types of all sagas, `saga-<name>`. They hold the same events. */
export const sagaStreamTypes = sagaNames.map((name) =>
  defineStreamType({ type: `saga-${name}`, context: 'saga', events: sagaEvents }),
);
export type SagaEvent = EventOf<StreamTypeDefinition<typeof sagaEvents>>;
