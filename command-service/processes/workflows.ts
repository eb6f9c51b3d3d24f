import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer, Commands } from '@workledger/shared/commands/port.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import { parseParticipant } from '@workledger/shared/contexts/participant.ts';
import { derivedId } from '@workledger/shared/contexts/stream.ts';
import { LARGEST_INPUTS, type Definition } from '@workledger/shared/contexts/task/workflow/definition.ts';
import type { Parent, Rights } from '@workledger/shared/contexts/task/workflow-run/events.ts';
import type { WorkflowRunState } from '@workledger/shared/contexts/task/workflow-run/state.ts';
import { beyondRole, isSendable } from '@workledger/shared/workflows/validate.ts';
import { givenInputs, withDeclared } from '@workledger/shared/workflows/inputs.ts';
import { rolesOf } from '../api/may-send.ts';
import { demandParticipant } from './participants.ts';
import type { Room } from './room.ts';
import { joinTokens, step, type StepContext } from './step.ts';
import { bytesOf, DEEPEST, defineWorkflow, demandRunnable, demandSound } from './workflow-definitions.ts';

/** Starts a run, by the rights of whoever asks. @throws CommandRefused */
async function startRun(
  room: Room,
  runId: string,
  data: CommandData<'workflow-run.start'>,
  context: StepContext,
): Promise<CommandAnswer> {
  const inputs = await withParticipants(room, data);
  return begin(room, runId, { ...data, inputs, ...ownRights(context), parent: null }, context);
}

/** Defines a workflow and runs it, or does neither. @throws CommandRefused */
async function startDefined(
  room: Room,
  runId: string,
  data: CommandData<'workflow-run.start-defined'>,
  context: StepContext,
): Promise<CommandAnswer> {
  const own = ownRights(context);
  const inputs = await withParticipants(room, data);
  const definition = withDeclared(data.definition, inputs);
  const workflowId = derivedId('workflow', 'of-run', runId);
  await demandRunnable(room, workflowId, definition, own.rights.repositories);
  demandMay(definition, own.rights);
  demandGiven(definition, inputs);
  const defining = { type: 'workflow.define', data: definition } as const;
  const defined = await room.aggregates.workflow.handle(workflowId, defining, step(context, 'define'));
  const started = await begin(room, runId, { workflowId, version: 1, inputs, ...own, parent: null }, context);
  return { ...started, token: joinTokens(started, defined), details: { ...started.details, workflowId } };
}

function ownRights(context: StepContext): { readonly startedBy: string; readonly rights: Rights } {
  const { caller, actor, repositories = null } = context;
  if (caller === undefined) return refuse('forbidden', 'a run begins by the rights of a person');
  const rights = { ...caller, teams: [...caller.teams], repositories: repositories && [...repositories] };
  return { startedBy: actor, rights };
}

/** @throws CommandRefused `unknown-reference` where one of them is no agent that is there */
async function withParticipants(
  room: Room,
  { inputs, participants }: Pick<CommandData<'workflow-run.start'>, 'inputs' | 'participants'>,
): Promise<Readonly<Record<string, unknown>>> {
  for (const [index, participant] of participants.entries()) {
    const field = `participants/${index}`;
    if (parseParticipant(participant).kind !== 'agent') {
      const message = `${participant} is no agent: name agents as agent:<id>`;
      refuse('unknown-reference', `${field}: ${message}`, { participant, errors: [{ path: `/${field}`, message }] });
    }
    await demandParticipant(room, participant, field);
  }
  return participants.length === 0 ? inputs : { ...inputs, participants };
}

/** Starts a run as a step of another one. @throws CommandRefused */
async function startChild(
  room: Room,
  childId: string,
  { runId, step, ...data }: CommandData<'workflow-run.start-child'>,
  context: StepContext,
): Promise<CommandAnswer> {
  const { startedBy, rights, parent } = await running(room, runId);
  const depth = (parent?.depth ?? 0) + 1;
  if (depth > DEEPEST) refuse('out-of-range', `runs within runs are ${DEEPEST} deep at most`);
  return begin(room, childId, { ...data, startedBy, rights, parent: { runId, step, depth } }, context);
}

type Beginning = {
  readonly workflowId: string;
  readonly version?: number | undefined;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly startedBy: string;
  readonly rights: Rights;
  readonly parent: Parent;
};

async function begin(room: Room, runId: string, beginning: Beginning, context: StepContext): Promise<CommandAnswer> {
  const { workflowId, version: wanted, startedBy, rights, parent } = beginning;
  const before = await room.aggregates['workflow-run'].load(runId);
  if (before.state !== null && parent !== null)
    return { id: runId, stream: before.stream, revision: before.revision, token: '', details: {} };
  const { state } = await room.aggregates.workflow.load(workflowId);
  const isWithin = rights.repositories === null || rights.repositories.includes(state?.repository ?? '');
  if (state === null || !isWithin) return refuse('not-found', `there is no workflow ${workflowId}`);
  if (state.retired) refuse('illegal-transition', 'the workflow is retired', { status: 'retired' });
  const version = wanted ?? state.versions.length;
  const definition = state.versions[version - 1];
  if (definition === undefined) return refuse('out-of-range', `version: the workflow has ${state.versions.length}`);
  demandMay(definition, rights);
  const inputs = demandGiven(definition, beginning.inputs);
  const data = { workflowId, version, definition: { ...definition }, inputs, startedBy, rights, parent };
  const started = { ...data, repository: state.repository };
  return room.aggregates['workflow-run'].handle(runId, { type: 'workflow-run.start', data: started }, context);
}

/** What a run is given, defaults filled in. @throws CommandRefused where that is not what the workflow asks for */
function demandGiven(definition: Definition, given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { inputs, faults } = givenInputs(definition, given);
  demandSound(faults, 'invalid-content');
  if (bytesOf(inputs) > LARGEST_INPUTS)
    refuse('too-large', `inputs have ${LARGEST_INPUTS} bytes at most: let them name what is larger`);
  return inputs;
}

/** @throws CommandRefused where a step sends what whoever starts it may not */
function demandMay(definition: Definition, { role }: Rights): void {
  const errors = beyondRole(definition, role).map(({ at, reason }) => ({ path: at, message: reason }));
  if (errors.length > 0) refuse('forbidden', `${errors[0]?.message}`, { errors });
}

type Running = NonNullable<WorkflowRunState>;

async function running(room: Room, runId: string): Promise<Running> {
  const { state } = await room.aggregates['workflow-run'].load(runId);
  if (state === null) return refuse('not-found', `there is no run ${runId}`);
  if (state.status !== 'running' && state.status !== 'paused')
    refuse('illegal-transition', `the run is ${state.status}`, { status: state.status });
  await demandStanding(room, state.startedBy);
  return state;
}

/** Whoever may do nothing any more has nothing done for them either. */
async function demandStanding(room: Room, actor: string): Promise<void> {
  const { kind, id } = parseParticipant(actor);
  const mayStill =
    kind === 'user'
      ? (await room.aggregates.user.load(id)).state?.access.state === 'active'
      : kind !== 'key' || (await room.aggregates.key.load(id)).state?.revoked === false;
  if (!mayStill) refuse('forbidden', `${actor}, who started the run, may do nothing any more`);
}

/** Sends the command of a step as whoever started the run would. @throws CommandRefused */
async function performStep(
  room: Room,
  send: Commands['send'],
  runId: string,
  { step, round, undo, type, target, data }: CommandData<'workflow-run.perform'>,
  context: StepContext,
): Promise<CommandAnswer> {
  const run = undo ? (await room.aggregates['workflow-run'].load(runId)).state : await running(room, runId);
  if (run === null) return refuse('not-found', `there is no run ${runId}`);
  if (undo) await demandStanding(room, run.startedBy);
  const { role, teams, repositories } = run.rights;
  if (!isSendable(type)) return refuse('forbidden', `workflows send no command ${type}`);
  if (!rolesOf(type).includes(role)) refuse('forbidden', `role ${role} may not send ${type}`);
  const entry = [runId, step, String(round), undo ? 'undo' : 'do'];
  const { correlationId, causationId, traceparent } = context;
  return send(
    { type, target: target ?? derivedId(type.slice(0, type.indexOf('.')), ...entry), data },
    {
      ...{ correlationId, causationId: causationId ?? null, traceparent: traceparent ?? null },
      actor: run.startedBy,
      commandId: derivedId('workflow-command', ...entry),
      caller: { role, teams },
      ...(repositories !== null && { repositories }),
    },
  );
}

/** Asks what a step waits for, in the name of whoever started the run. @throws CommandRefused */
async function askInRun(
  room: Room,
  runId: string,
  { questionId, step: _, askee, text, choices }: CommandData<'workflow-run.ask'>,
  context: StepContext,
): Promise<CommandAnswer> {
  const { startedBy, repository } = await running(room, runId);
  const data = { runId, repository, askee, text, choices };
  return room.questions.handle(questionId, { type: 'question.ask-in-run', data }, { ...context, actor: startedBy });
}

type Carried<Data> = (id: string, data: Data, context: StepContext) => Promise<CommandAnswer>;
type Type =
  | `workflow.${'define' | 'change'}`
  | `workflow-run.${'start' | 'start-defined' | 'start-child' | 'perform' | 'ask'}`;
type Processes = { readonly [Each in Type]: Carried<CommandData<Each>> };

/** The commands about workflows that look at more than their own stream. */
export const workflowProcesses = (room: Room, send: Commands['send']): Processes => ({
  'workflow.define': (id, data, context) => defineWorkflow(room, id, 'workflow.define', data, context),
  'workflow.change': (id, data, context) => defineWorkflow(room, id, 'workflow.change', data, context),
  'workflow-run.start': (id, data, context) => startRun(room, id, data, context),
  'workflow-run.start-defined': (id, data, context) => startDefined(room, id, data, context),
  'workflow-run.start-child': (id, data, context) => startChild(room, id, data, context),
  'workflow-run.perform': (id, data, context) => performStep(room, send, id, data, context),
  'workflow-run.ask': (id, data, context) => askInRun(room, id, data, context),
});
