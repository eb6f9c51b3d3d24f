import type { AgentEvent } from '@workledger/shared/contexts/agent/agent/events.ts';
import type { DeliveryEvent } from '@workledger/shared/contexts/sync/delivery/events.ts';
import type { SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import type { TaskEvent } from '@workledger/shared/contexts/task/task/events.ts';

export type Input = TaskEvent | AgentEvent | DeliveryEvent;

export type CurrentClaim = { readonly claimId: string; readonly agentId: string; readonly leaseSeconds: number };

/** What the assignment of one task knows. */
export type AssignmentState = {
  readonly taskId: string | null;
  readonly claim: CurrentClaim | null;
  /** Who was to work on it, by claim: from the reservation or the claim, whichever is seen first. */
  readonly agents: Readonly<Record<string, string>>;
  /** Claims whose reservation is freed. */
  readonly released: readonly string[];
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

export const initial: AssignmentState = {
  taskId: null,
  claim: null,
  agents: {},
  released: [],
  creations: {},
  cancellations: [],
};

/** Folds what happened to the task's claims and reservations. */
export function evolve(state: AssignmentState, event: SagaEvent): AssignmentState {
  if (event.type !== 'SagaInputReceived') return state;
  const input = event.data as unknown as Input;
  switch (input.type) {
    case 'DeliveryRouted': {
      const { intent, taskId } = input.data;
      const deliveryId = event.data.source.stream.slice(-36);
      const position = BigInt(event.data.source.position ?? 0);
      if (intent.kind === 'create-task') return { ...state, creations: { ...state.creations, [deliveryId]: position } };
      const cancellation = { deliveryId, taskId, reason: intent.reason, position };
      return { ...state, cancellations: [...state.cancellations, cancellation] };
    }
    case 'AgentReserved': {
      const { claimId, taskId } = input.data;
      const agentId = event.data.source.stream.slice(-36);
      return { ...state, taskId, agents: { ...state.agents, [claimId]: agentId } };
    }
    case 'AgentReleased':
      return { ...state, released: [...state.released, input.data.claimId] };
    case 'TaskClaimed': {
      const { claimId, agentId, leaseSeconds } = input.data;
      return {
        ...state,
        taskId: event.data.source.stream.slice(-36),
        claim: { claimId, agentId, leaseSeconds },
        agents: { ...state.agents, [claimId]: agentId },
      };
    }
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
