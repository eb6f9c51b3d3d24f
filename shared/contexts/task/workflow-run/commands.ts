import { z } from 'zod';
import { defineCommands, operators } from '../../define-commands.ts';
import { text, uuid } from '../../text.ts';
import { failure } from '../../values.ts';
import { participant } from '../../participant.ts';
import { askee, definition } from '../workflow/definition.ts';
import { workflowRunEvents } from './events.ts';

const { WorkflowRunEventSeen, WorkflowRunWaitBegan } = workflowRunEvents.events;

const reason = text(1_000, 1);
const inputs = z.record(z.string().max(200), z.json()).default({});
const participants = z
  .array(participant)
  .max(100)
  .default([])
  .describe('agents that take part: each is known. The steps have them as the input `participants`');
const step = text(63, 1);
const notUndone = z.array(step).max(1_000);

export const workflowRunCommands = defineCommands({
  'workflow-run.start': {
    data: z.strictObject({
      workflowId: uuid,
      version: z.int().min(1).optional().describe('left out: the newest'),
      inputs,
      participants,
    }),
    roles: operators,
    creates: true,
  },
  /** Defines a workflow, and runs it. Inputs that it does not declare are declared as they are given. Answers `details.workflowId`. */
  'workflow-run.start-defined': {
    data: z.strictObject({ definition, inputs, participants }),
    roles: operators,
    creates: true,
  },
  'workflow-run.pause': {
    data: z.strictObject({ reason: reason.default('paused on request') }),
    roles: operators,
    sentBy: ['saga'],
  },
  'workflow-run.resume': { data: z.strictObject({}), roles: operators, sentBy: ['saga'] },
  'workflow-run.cancel': {
    data: z.strictObject({ reason: reason.default('cancelled on request') }),
    roles: operators,
    sentBy: ['saga'],
  },
  'workflow-run.retry': {
    data: z.strictObject({
      from: z
        .array(step)
        .max(100)
        .default([])
        .describe('these steps and all after them are done again, beside what failed or was undone'),
    }),
    roles: operators,
  },
  /** Starts a run as a step of another one, by the rights of whoever started that. */
  'workflow-run.start-child': {
    data: z.strictObject({
      runId: uuid,
      step,
      workflowId: uuid,
      version: z.int().min(1).optional(),
      inputs: z.record(z.string(), z.unknown()),
    }),
    sentBy: ['saga'],
  },
  /** Sends a step's command, by the rights of whoever started the run. */
  'workflow-run.perform': {
    data: z.strictObject({
      step,
      round: z.int().min(1),
      /** It undoes the step. */
      undo: z.boolean(),
      type: z.string(),
      target: z.string().nullable(),
      data: z.unknown(),
    }),
    sentBy: ['saga'],
  },
  /** Asks for the answer that a step waits for, in the name of whoever started the run. */
  'workflow-run.ask': {
    data: z.strictObject({
      ...{ questionId: uuid, step, askee },
      text: text(10_000, 1),
      choices: z.array(text(200, 1)).min(1).max(20),
    }),
    sentBy: ['saga'],
  },
  'workflow-run.await': { data: WorkflowRunWaitBegan.schema.omit({ repositories: true }), sentBy: ['saga'] },
  'workflow-run.notice-event': { data: WorkflowRunEventSeen.schema, sentBy: ['saga'] },
  'workflow-run.complete': { data: z.strictObject({ outputs: z.record(z.string(), z.unknown()) }), sentBy: ['saga'] },
  'workflow-run.fail': { data: z.strictObject({ failure, notUndone }), sentBy: ['saga'] },
  'workflow-run.end-cancelled': { data: z.strictObject({ notUndone }), sentBy: ['saga'] },
});
