import type { AgentEvent } from '@workledger/shared/contexts/agent/agent/events.ts';
import type { SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import type { DeliveryEvent } from '@workledger/shared/contexts/sync/delivery/events.ts';
import type { TaskEvent } from '@workledger/shared/contexts/task/task/events.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { command, type Decision, type Effects, request, type Saga, timer, inputOf } from '../engine/saga.ts';

export type Input = TaskEvent | AgentEvent | DeliveryEvent;

export type CurrentClaim = { readonly claimId: string; readonly agentId: string; readonly leaseSeconds: number };

/** What the assignment of one task knows. */
export type AssignmentState = {
  readonly taskId: string | null;
  readonly claim: CurrentClaim | null;
  /** Its work is offered by a pull request. */
  readonly isOffered: boolean;
  /** Who is to work on it, by claim, until the reservation is freed: from it or the claim, whichever is seen first. */
  readonly agents: Readonly<Record<string, string>>;
  /** Deliveries that ask for the task, by id: where they stand in the log. */
  readonly creations: Readonly<Record<string, bigint>>;
  /** Deliveries that ask for its end. They may be seen before the one that asked for the task. */
  readonly cancellations: readonly Cancellation[];
};

export type Cancellation = {
  readonly deliveryId: string;
  readonly taskId: string;
  readonly reason: string;
  readonly position: bigint;
};

const initial: AssignmentState = {
  taskId: null,
  claim: null,
  isOffered: false,
  agents: {},
  creations: {},
  cancellations: [],
};

/** Folds what happened to the task's claims and reservations. */
function evolve(state: AssignmentState, event: SagaEvent): AssignmentState {
  if (event.type !== 'SagaInputReceived') return state;
  const input = inputOf<Input>(event);
  switch (input.type) {
    case 'DeliveryRouted': {
      const { intent, taskId } = input.data;
      const deliveryId = streamId(event.data.source.stream);
      const position = BigInt(event.data.source.position ?? 0);
      if (intent.kind === 'create-task') return { ...state, creations: { ...state.creations, [deliveryId]: position } };
      const cancellation = { deliveryId, taskId, reason: intent.reason, position };
      return { ...state, cancellations: [...state.cancellations, cancellation] };
    }
    case 'AgentReserved': {
      const { claimId, taskId } = input.data;
      const agentId = streamId(event.data.source.stream);
      return { ...state, taskId, agents: { ...state.agents, [claimId]: agentId } };
    }
    case 'AgentReleased':
      return { ...state, agents: without(state.agents, input.data.claimId) };
    case 'TaskClaimed': {
      const { claimId, agentId, leaseSeconds } = input.data;
      return {
        ...state,
        taskId: streamId(event.data.source.stream),
        claim: { claimId, agentId, leaseSeconds },
        agents: { ...state.agents, [claimId]: agentId },
      };
    }
    case 'TaskPullRequestOpened':
      return { ...state, isOffered: true };
    case 'TaskClaimReleased':
    case 'TaskClaimExpired':
    case 'TaskCompleted':
    case 'TaskFailed':
    case 'TaskCancelled':
      return { ...state, claim: null };
    default:
      return state;
  }
}

const without = (agents: AssignmentState['agents'], claimId: string): AssignmentState['agents'] =>
  Object.fromEntries(Object.entries(agents).filter(([id]) => id !== claimId));

/** A reservation must be followed by a claim within this time. */
const CLAIM_WITHIN_SECONDS = 10;

/**
 * Brings a task to an agent and back: creates it from a webhook delivery, and frees reservations whose claim has ended, or never
 * followed. One instance a task. Leases are watched by command-service: watching is no event.
 */
export const taskAssignment: Saga<AssignmentState> = {
  name: 'task-assignment',
  topics: ['sync', 'task', 'agent'],
  correlate,
  initial,
  evolve,
  react: (state, event, effects) => {
    if (event.type === 'SagaInputReceived') return onInput(state, event, effects);
    if (event.type === 'SagaEffectSucceeded') return onResult(state, event.data.key, effects);
    if (event.type === 'SagaEffectFailed') return isCreation(event.data.key) ? cancelWhatIsCreated(state, effects) : [];
    return [];
  },
};

const TASK_INPUTS: ReadonlySet<string> = new Set([
  'TaskClaimed',
  'TaskPullRequestOpened',
  'TaskClaimReleased',
  'TaskClaimExpired',
  'TaskCompleted',
  'TaskFailed',
  'TaskCancelled',
]);

function correlate({ type, stream, data }: RecordedEvent): string | null {
  if (TASK_INPUTS.has(type)) return streamId(stream);
  if (type === 'DeliveryRouted' || type === 'DeliveryNoticed' || type === 'AgentReserved' || type === 'AgentReleased')
    return (data as { taskId: string }).taskId;
  return null;
}

type Received = Extract<SagaEvent, { type: 'SagaInputReceived' }>;

function onInput(state: AssignmentState, event: Received, effects: Effects): readonly Decision[] {
  const input = inputOf<Input>(event);
  switch (input.type) {
    case 'DeliveryRouted':
      return routed(state, input.data, streamId(event.data.source.stream), effects);
    case 'DeliveryNoticed': {
      const key = `notice/${streamId(event.data.source.stream)}`;
      return [request(command(key, 'task.notice-pull-request', input.data.taskId, {}))];
    }
    case 'AgentReserved':
      return [request(timer(`orphan/${input.data.claimId}`, CLAIM_WITHIN_SECONDS))];
    case 'TaskClaimReleased':
    case 'TaskClaimExpired':
    case 'TaskFailed':
    case 'TaskCancelled':
      return release(state, input.data.claimId, input.type, effects);
    case 'TaskCompleted':
      return [
        ...release(state, input.data.claimId, input.type, effects),
        ...tellParent(input.data.parentId, event.data.source.stream),
      ];
    default:
      return [];
  }
}

type Routed = Extract<Input, { type: 'DeliveryRouted' }>['data'];

const routed = (
  state: AssignmentState,
  { taskId, intent }: Routed,
  deliveryId: string,
  effects: Effects,
): readonly Decision[] =>
  intent.kind === 'create-task'
    ? [request(command(`create/${deliveryId}`, 'task.create-from-delivery', taskId, { deliveryId }))]
    : cancelWhatIsCreated(state, effects);

const isCreation = (key: string): boolean => key.startsWith('create/');

/**
 * A cancellation waits for the creations that were accepted before it: deliveries come by different partitions, and commands are
 * sent side by side. One that was accepted before every creation is about an earlier life of the issue.
 */
function cancelWhatIsCreated(state: AssignmentState, effects: Effects): Decision[] {
  const { creations, cancellations } = state;
  return cancellations.flatMap(({ deliveryId, taskId, reason, position }) => {
    const before = Object.keys(creations).filter((id) => creations[id]! < position);
    const isReady = before.length > 0 && before.every((id) => effects.get(`create/${id}`)?.state !== 'requested');
    if (!isReady || effects.has(`cancel/${deliveryId}`)) return [];
    const looking = effects.get(`before-cancel/${deliveryId}`)?.state;
    if (looking === undefined && state.isOffered && state.claim !== null) return letLook(taskId, deliveryId);
    return looking === 'requested' ? [] : [request(command(`cancel/${deliveryId}`, 'task.cancel', taskId, { reason }))];
  });
}

/** Who merges a pull request closes its issue by that, and GitHub may tell of the issue first: the run has this time to see it. */
const LOOK_SECONDS = 5;

const letLook = (taskId: string, deliveryId: string): Decision[] => [
  request(command(`look/${deliveryId}`, 'task.notice-pull-request', taskId, {})),
  request(timer(`before-cancel/${deliveryId}`, LOOK_SECONDS)),
];

function release(
  state: AssignmentState,
  claimId: string | null,
  reason: string,
  effects: Effects,
): readonly Decision[] {
  const agentId = claimId === null ? undefined : state.agents[claimId];
  if (claimId === null || agentId === undefined || effects.has(`release/${claimId}`)) return [];
  return [request(command(`release/${claimId}`, 'agent.release', agentId, { claimId, reason }))];
}

const tellParent = (parentId: string | null, childStream: string): readonly Decision[] =>
  parentId === null ? [] : [request(command(`parent/${childStream}`, 'task.complete-parent', parentId, {}))];

/** Timers and commands about leases are of sagas that watched them once: nothing follows. */
function onResult(state: AssignmentState, key: string, effects: Effects): readonly Decision[] {
  if (isCreation(key) || key.startsWith('before-cancel/')) return cancelWhatIsCreated(state, effects);
  const [kind, claimId = ''] = key.split('/');
  const agentId = state.agents[claimId];
  // This view may be behind: whether a claim followed is asked where it is known.
  return kind === 'orphan' && agentId !== undefined
    ? [request(command(`unclaimed/${claimId}`, 'agent.release-unclaimed', agentId, { claimId }))]
    : [];
}
