import type { Commands } from '@workledger/shared/commands/port.ts';
import { participant } from '@workledger/shared/contexts/participant.ts';
import { workflowRunCommands } from '@workledger/shared/contexts/task/workflow-run/commands.ts';
import { workflowCommands } from '@workledger/shared/contexts/task/workflow/commands.ts';
import { templates } from '@workledger/shared/workflows/templates.ts';
import { route, type Route } from '@workledger/shared/http/route.ts';
import { z } from 'zod';
import {
  commandHeaders,
  created,
  creation,
  intention,
  intentionFromPath,
  pathId,
  receiptReply,
} from './command-route.ts';
import { rolesOf } from './may-send.ts';
import { sendCommand } from './send-command.ts';

const WORKFLOWS = '/api/v1/workflows';
const WORKFLOW = `${WORKFLOWS}/{id}`;
const COLLABORATIVE = '/api/v1/collaborative';
const RUNS = '/api/v1/workflow-runs';
const RUN = `${RUNS}/{id}`;
/** A definition may have 190,000 bytes, written with white space. */
const LARGE_BYTES = 512 * 1024;
const UNFIT = ['invalid-workflow', 'unknown-repository', 'unknown-reference', 'too-large', 'out-of-range'] as const;
const judged =
  'A definition that cannot run is refused: `errors` names each place as a JSON pointer, with the reason (a cycle with its steps).';

const { name: workflowName, repository } = workflowCommands['workflow.define'].data.shape;
const fromTemplate = z.strictObject({ name: workflowName.optional(), repository });
const start = workflowRunCommands['workflow-run.start'].data.omit({ workflowId: true });

/** What is written of a workflow, under one of its two names. */
const definitionRoutes = (commands: Commands, path: string): Route[] => [
  creation(commands, {
    ...{ method: 'post', path, type: 'workflow.define', maxBodyBytes: LARGE_BYTES, problems: UNFIT },
    summary: 'Define a workflow',
    description: judged,
  }),
  intention(commands, {
    ...{ method: 'put', path: `${path}/{id}`, type: 'workflow.change', maxBodyBytes: LARGE_BYTES, problems: UNFIT },
    summary: 'Define the next version of a workflow',
    description: `Runs that have begun go on with theirs. ${judged}`,
  }),
  intentionFromPath(commands, {
    ...{ method: 'delete', path: `${path}/{id}`, type: 'workflow.retire' },
    summary: 'Retire a workflow: no new run of it begins',
    params: z.strictObject({ id: pathId }),
    data: () => ({}),
  }),
];

/** Workflows are written, run, and held in their course. */
export const workflowRoutes = (commands: Commands): Route[] => [
  ...definitionRoutes(commands, WORKFLOWS),
  ...definitionRoutes(commands, `${COLLABORATIVE}/workflows`),
  startAmong(commands),
  route({
    method: 'post',
    path: '/api/v1/workflow-templates/{name}',
    scoped: true,
    role: rolesOf('workflow.define'),
    summary: 'Define a workflow from a template',
    description: 'It is a copy, and its own from then on: change it as you like.',
    headers: commandHeaders.omit({ 'if-match': true }),
    params: z.strictObject({ name: z.enum(templates.map(({ name }) => name)) }),
    body: fromTemplate,
    answers: { 201: created },
    problems: [...UNFIT, 'forbidden', 'already-exists', 'idempotency-key-reused', 'unavailable'],
    handler: async (input) => {
      const idempotencyKey = input.headers['idempotency-key'];
      const template = templates.find(({ name }) => name === input.params.name);
      const { name = template?.definition.name, repository } = input.body;
      const answer = await sendCommand(commands, input, {
        type: 'workflow.define',
        route: `POST /api/v1/workflow-templates/${input.params.name}`,
        target: undefined,
        data: { ...template?.definition, name, ...(repository !== undefined && { repository }) },
        idempotencyKey,
        expectedRevision: undefined,
      });
      return receiptReply(answer, idempotencyKey, `${WORKFLOWS}/${answer.id}`);
    },
  }),
  route({
    method: 'post',
    path: `${WORKFLOW}/runs`,
    scoped: true,
    role: rolesOf('workflow-run.start'),
    summary: 'Run a workflow',
    description: 'Its steps do what whoever starts it may do, and no more.',
    maxBodyBytes: LARGE_BYTES,
    headers: commandHeaders.omit({ 'if-match': true }),
    params: z.strictObject({ id: pathId }),
    body: start,
    answers: { 201: created },
    problems: [
      ...(['invalid-content', 'out-of-range', 'forbidden', 'not-found', 'too-large', 'unknown-reference'] as const),
      ...(['already-exists', 'illegal-transition', 'idempotency-key-reused', 'unavailable'] as const),
    ],
    handler: async (input) => {
      const idempotencyKey = input.headers['idempotency-key'];
      const answer = await sendCommand(commands, input, {
        type: 'workflow-run.start',
        route: `POST ${WORKFLOW}/runs ${input.params.id}`,
        target: undefined,
        data: { ...input.body, workflowId: input.params.id },
        idempotencyKey,
        expectedRevision: undefined,
      });
      return receiptReply(answer, idempotencyKey, `${RUNS}/${answer.id}`);
    },
  }),
  intention(commands, {
    ...{ method: 'post', path: `${RUN}/pause`, type: 'workflow-run.pause' },
    summary: 'Pause a run: what is under way ends, nothing more begins',
  }),
  intention(commands, {
    ...{ method: 'post', path: `${RUN}/resume`, type: 'workflow-run.resume' },
    summary: 'Let a paused run go on',
  }),
  intention(commands, {
    ...{ method: 'post', path: `${RUN}/cancel`, type: 'workflow-run.cancel' },
    summary: 'Cancel a run, and undo what can be undone',
  }),
  intention(commands, {
    ...{ method: 'post', path: `${RUN}/retry`, type: 'workflow-run.retry', problems: ['out-of-range'] },
    summary: 'Take a run up again that failed or was cancelled',
    description:
      'What failed, what was undone, and what is named in `from` is done again, with all that comes after; what stands stays.',
  }),
];

const started = workflowRunCommands['workflow-run.start-defined'].data.shape;
const agentId = z.union([participant, pathId]).describe('agent:<id>, or the id alone');
const among = z.strictObject({
  workflow_definition: z
    .union([pathId, started.definition])
    .describe('the id of a workflow, or a definition, which becomes one'),
  context: started.inputs.describe(
    'what the run is given; what a definition that comes along does not declare is declared as it is given',
  ),
  participants: z.array(agentId).min(1).max(100).describe('agents: the steps have them as the input `participants`'),
});

/** `workflow_definition`, `context` and `participants` make a run among agents. */
const startAmong = (commands: Commands): Route =>
  route({
    method: 'post',
    path: `${COLLABORATIVE}/mcp`,
    scoped: true,
    role: rolesOf('workflow-run.start-defined'),
    summary: 'Run a workflow among agents',
    description:
      'Each participant is a known agent. Steps name them (`{"$from": "/inputs/participants/0"}`): a message to one, a task for one. ' +
      'Followed as every run is, by the id that is answered.',
    maxBodyBytes: LARGE_BYTES,
    headers: commandHeaders.omit({ 'if-match': true }),
    body: among,
    answers: { 201: created },
    problems: [
      ...UNFIT,
      ...(['invalid-content', 'forbidden', 'not-found', 'already-exists', 'illegal-transition'] as const),
      ...(['idempotency-key-reused', 'unavailable'] as const),
    ],
    handler: async (input) => {
      const { workflow_definition: workflow, context: inputs, participants: named } = input.body;
      const participants = named.map((one) => (one.includes(':') ? one : `agent:${one}`));
      const common = { inputs, participants };
      const idempotencyKey = input.headers['idempotency-key'];
      const answer = await sendCommand(commands, input, {
        ...(typeof workflow === 'string'
          ? { type: 'workflow-run.start', data: { ...common, workflowId: workflow } }
          : { type: 'workflow-run.start-defined', data: { ...common, definition: workflow } }),
        route: `POST ${COLLABORATIVE}/mcp`,
        target: undefined,
        idempotencyKey,
        expectedRevision: undefined,
      });
      return receiptReply(answer, idempotencyKey, `${RUNS}/${answer.id}`);
    },
  });
