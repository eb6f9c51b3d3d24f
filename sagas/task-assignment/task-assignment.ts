import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import type { SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import { command, request, timer, type Decision, type Effects, type Saga } from '../engine/saga.ts';
import { evolve, initial, type AssignmentState, type Input } from './state.ts';

/** A reservation must be followed by a claim within this time. */
const CLAIM_WITHIN_SECONDS = 30;

/**
 * Brings a task to an agent and back: creates it from a webhook delivery, watches the lease of its claim, and frees
 * reservations that are left over. One instance a task.
 */
export const taskAssignment: Saga<AssignmentState> = {
  name: 'task-assignment',
  topics: ['sync', 'task', 'agent'],
  correlate,
  initial,
  evolve,
  react: (state, event, effects, now) => {
    if (event.type === 'SagaInputReceived') return onInput(state, event, effects);
    if (event.type === 'SagaEffectSucceeded') return onResult(state, event.data, effects, now);
    if (event.type === 'SagaEffectFailed') return isCreation(event.data.key) ? cancelWhatIsCreated(state, effects) : [];
    return [];
  },
};

const TASK_INPUTS: ReadonlySet<string> = new Set([
  'TaskClaimed',
  'TaskClaimReleased',
  'TaskClaimExpired',
  'TaskCompleted',
  'TaskFailed',
  'TaskCancelled',
]);

function correlate({ type, stream, data }: RecordedEvent): string | null {
  if (TASK_INPUTS.has(type)) return stream.slice(-36);
  if (type === 'DeliveryRouted' || type === 'AgentReserved' || type === 'AgentReleased')
    return (data as { taskId: string }).taskId;
  return null;
}

type Received = Extract<SagaEvent, { type: 'SagaInputReceived' }>;

function onInput(state: AssignmentState, { data }: Received, effects: Effects): readonly Decision[] {
  const input = data as unknown as Input;
  switch (input.type) {
    case 'DeliveryRouted':
      return routed(state, input.data, data.source.stream.slice(-36), effects);
    case 'AgentReserved':
      return [request(timer(`orphan/${input.data.claimId}`, CLAIM_WITHIN_SECONDS))];
    case 'TaskClaimed':
      return [request(timer(`lease/${input.data.claimId}/1`, input.data.leaseSeconds))];
    case 'TaskClaimReleased':
    case 'TaskClaimExpired':
    case 'TaskFailed':
    case 'TaskCancelled':
      return release(state, input.data.claimId, input.type);
    case 'TaskCompleted':
      return [
        ...release(state, input.data.claimId, input.type),
        ...tellParent(input.data.parentId, data.source.stream),
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
function cancelWhatIsCreated({ creations, cancellations }: AssignmentState, effects: Effects): Decision[] {
  return cancellations.flatMap(({ deliveryId, taskId, reason, position }) => {
    const before = Object.keys(creations).filter((id) => creations[id]! < position);
    const isReady = before.length > 0 && before.every((id) => effects.get(`create/${id}`)?.state !== 'requested');
    if (!isReady || effects.has(`cancel/${deliveryId}`)) return [];
    return [request(command(`cancel/${deliveryId}`, 'task.cancel', taskId, { reason }))];
  });
}

function release(state: AssignmentState, claimId: string | null, reason: string): readonly Decision[] {
  const agentId = claimId === null ? undefined : state.agents[claimId];
  if (claimId === null || agentId === undefined || state.released.includes(claimId)) return [];
  return [request(command(`release/${claimId}`, 'agent.release', agentId, { claimId, reason }))];
}

const tellParent = (parentId: string | null, childStream: string): readonly Decision[] =>
  parentId === null ? [] : [request(command(`parent/${childStream}`, 'task.complete-parent', parentId, {}))];

function onResult(
  state: AssignmentState,
  { key, result }: { key: string; result: unknown },
  effects: Effects,
  now: Date,
): readonly Decision[] {
  if (isCreation(key)) return cancelWhatIsCreated(state, effects);
  const [kind, claimId = '', number = '1'] = key.split('/');
  const isCurrent = state.claim?.claimId === claimId;
  if (kind === 'orphan' && !isCurrent && !effects.has(`release/${claimId}`))
    return release(state, claimId, 'never claimed');
  if (kind === 'lease' && isCurrent && state.taskId !== null)
    return [request(command(`expire/${claimId}/${number}`, 'task.expire-claim', state.taskId, { claimId }))];
  if (kind === 'expire' && isCurrent) return nextLook(claimId, Number(number) + 1, result, now);
  return [];
}

/** The agent reported in time: look again when its lease would run out now. */
function nextLook(claimId: string, number: number, result: unknown, now: Date): readonly Decision[] {
  const { dueAt } = (result as { details: { dueAt?: string } }).details;
  if (dueAt === undefined) return [];
  const seconds = Math.max(1, (Date.parse(dueAt) - now.getTime()) / 1000);
  return [request(timer(`lease/${claimId}/${number}`, seconds))];
}
