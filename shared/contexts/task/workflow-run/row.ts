import { z } from 'zod';
import { sagaEvents } from '../../saga/events.ts';
import { defineReadModel, revision, time, type RowOf } from '../../define-row.ts';
import { failure, uuid } from '../../values.ts';
import { RUN_STATES } from './state.ts';

export const workflowRunRow = z.strictObject({
  id: uuid,
  revision,
  workflowId: uuid,
  workflow: z.string().describe('its name when the run began'),
  version: z.int().describe('the one that it runs, whatever became of the workflow'),
  repository: z.string().nullable(),
  state: z.enum(RUN_STATES),
  inputs: z.record(z.string(), z.unknown()),
  outputs: z.record(z.string(), z.unknown()).nullable(),
  failure: failure.nullable(),
  reason: z.string().nullable().describe('why it is paused or cancelled'),
  notUndone: z.array(z.string()).describe('steps that could not be undone'),
  startedBy: z.string(),
  parentRunId: uuid.nullable().describe('the run whose step it is'),
  parentStep: z.string().nullable(),
  stepCount: z.int(),
  retries: z.int().describe('how often it was taken up again'),
  startedAt: time,
  updatedAt: time,
  endedAt: time.nullable(),
});
export type WorkflowRunRow = RowOf<typeof workflowRunRow>;

export const workflowRunModel = defineReadModel({
  name: 'workflow-runs',
  version: 1,
  table: 'workflow_runs',
  streams: ['workflow-run'],
  schema: workflowRunRow,
});

/** A step that began, or was passed by. */
export const workflowStepRow = z.strictObject({
  id: z.string().describe('<run>/<step>'),
  revision,
  runId: uuid,
  step: z.string(),
  state: sagaEvents.SagaStepChanged.schema.shape.state,
  round: z.int().describe('how often it was entered'),
  attempt: z.int(),
  result: z.unknown().describe('what it answered; null: nothing yet'),
  failure: failure.nullable().describe('of its last attempt, or of undoing it'),
  waitsFor: z.string().nullable().describe('a question, a run, or why it cannot be done now'),
  startedAt: time,
  updatedAt: time,
});
export type WorkflowStepRow = RowOf<typeof workflowStepRow>;

export const workflowStepModel = defineReadModel({
  name: 'workflow-steps',
  version: 1,
  table: 'workflow_steps',
  streams: ['saga-workflow'],
  schema: workflowStepRow,
});
