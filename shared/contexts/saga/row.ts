import { z } from 'zod';
import { sagaEvents } from './events.ts';
import { defineReadModel, revision, time, type RowOf } from '../define-row.ts';
import { agentTold, artefact, failure, uuid } from '../values.ts';

const stepState = sagaEvents.SagaStepChanged.schema.shape.state;
export type StepState = z.infer<typeof stepState>;

/** One effect of a pipeline: what was asked of whom, how it ended, and where its papers are. */
const pipelineEffect = z.strictObject({
  key: z.string(),
  kind: z.enum(['command', 'call', 'timer']),
  name: z.string().describe('component, command type, or `timer`'),
  state: z.enum(['requested', 'succeeded', 'failed', 'cancelled']),
  artefacts: z
    .record(z.string(), artefact)
    .describe('named bodies that the result tells of: prompt, output, diff, report, log'),
  exitCode: z.number().nullable(),
  commit: z.string().nullable(),
  costUsd: z.number().nullable(),
  durationMs: z.number().nullable(),
  agent: agentTold.optional().describe('what the agent told of its work; left out: no agent worked, or none told'),
  failure: failure.nullable(),
  interrupted: z
    .int()
    .optional()
    .describe('how often a stop of Workledger ended it, and it began anew; left out: never'),
  waitsFor: z.string().optional().describe('why it cannot be done now; it is tried again until it can'),
  requestedAt: time,
  endedAt: time.nullable(),
});
export type PipelineEffect = RowOf<typeof pipelineEffect>;

/** One try of a step. */
const pipelineAttempt = z.strictObject({
  round: z.int(),
  attempt: z.int(),
  state: stepState,
  detail: z.unknown(),
  effects: z.array(pipelineEffect),
  startedAt: time,
  updatedAt: time,
});
export type PipelineAttempt = RowOf<typeof pipelineAttempt>;

const pipelineStep = z.strictObject({
  step: z.string(),
  state: stepState,
  attempts: z.array(pipelineAttempt),
  compensation: pipelineAttempt
    .omit({ round: true, attempt: true })
    .nullable()
    .describe('how it was undone; null: it was not'),
});
export type PipelineStep = RowOf<typeof pipelineStep>;

export const pipelineRow = z.strictObject({
  id: uuid.describe(
    'the claim under which the work is done, the user of an onboarding, the review of a pull request, or the delivery that an installation was looked at for',
  ),
  revision,
  taskId: uuid.nullable(),
  state: z.enum(['running', 'completed', 'failed', 'cancelled']),
  steps: z.array(pipelineStep),
  effects: z.array(pipelineEffect).describe('what was asked outside of any step'),
  failure: failure.nullable(),
  startedAt: time,
  updatedAt: time,
  endedAt: time.nullable(),
});
export type PipelineRow = RowOf<typeof pipelineRow>;

export const pipelineModel = defineReadModel({
  name: 'pipelines',
  version: 1,
  table: 'pipelines',
  streams: ['saga-code-evolution', 'saga-onboarding', 'saga-pull-request-review', 'saga-installation'],
  schema: pipelineRow,
});
