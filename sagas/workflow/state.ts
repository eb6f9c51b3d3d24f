import type { SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import { streamId, streamType } from '@workledger/shared/contexts/stream.ts';
import type { QuestionEvent } from '@workledger/shared/contexts/task/question/events.ts';
import { CHOICES, type Definition, type Step } from '@workledger/shared/contexts/task/workflow/definition.ts';
import type { WorkflowRunEvent } from '@workledger/shared/contexts/task/workflow-run/events.ts';
import type { Failure } from '@workledger/shared/contexts/values.ts';
import { because } from '../engine/component.ts';
import { inputOf } from '../engine/saga.ts';

export type Input = WorkflowRunEvent | QuestionEvent;

/** What a step waited for: an answer, an event, the end of another run. */
export type Arrival = { readonly result: unknown } | { readonly failure: Failure; readonly again: boolean };

export type StepState = {
  readonly state: 'pending' | 'running' | 'resting' | 'succeeded' | 'skipped' | 'failed' | 'cancelled';
  /** How often it was entered, and the try within that. */
  readonly round: number;
  readonly attempt: number;
  /** Of its effect, or of what it waited for. */
  readonly result: unknown;
  /** The question or the run that it waits for. */
  readonly awaits: string | null;
  readonly arrived: Arrival | null;
  /** The number of its success among all; null: it had none. */
  readonly order: number | null;
  readonly undone: boolean;
};

/** A run on its way to an end other than success. */
export type Ending = { readonly outcome: 'failed' | 'cancelled'; readonly failure: Failure };

export type WorkflowState = {
  readonly run: {
    readonly id: string;
    readonly definition: Definition;
    readonly byId: ReadonlyMap<string, Step>;
    readonly inputs: Readonly<Record<string, unknown>>;
    readonly startedBy: string;
    /** Of whoever started it; null: all. */
    readonly repositories: readonly string[] | null;
  } | null;
  readonly paused: boolean;
  readonly steps: Readonly<Record<string, StepState>>;
  readonly successes: number;
  readonly ending: Ending | null;
  /** All steps are done, and its own stream is told: nothing stops that any more. */
  readonly concluding: boolean;
  readonly notUndone: readonly string[];
  /** From 1; it grows when the run is taken up again. */
  readonly generation: number;
  /** Its end stands in its own stream. */
  readonly ended: boolean;
};

export const initial: WorkflowState = {
  ...{ run: null, paused: false, steps: {}, successes: 0 },
  ...{ ending: null, concluding: false, notUndone: [], generation: 1, ended: false },
};

const pending: StepState = {
  ...{ state: 'pending', round: 0, attempt: 0, result: null },
  ...{ awaits: null, arrived: null, order: null, undone: false },
};

/** Of the effect of one attempt. */
export const keyOf = (id: string, { round, attempt }: Pick<StepState, 'round' | 'attempt'>): string =>
  `step/${id}/${round}/${attempt}`;

export function evolve(state: WorkflowState, event: SagaEvent): WorkflowState {
  switch (event.type) {
    case 'SagaInputReceived':
      return onInput(state, inputOf<Input>(event), streamId(event.data.source.stream));
    case 'SagaStepChanged':
      return onStep(state, event.data);
    case 'SagaEffectRequested':
      return event.data.effect.key.startsWith('end/') ? { ...state, concluding: true } : state;
    case 'SagaEffectSucceeded': {
      const { key, result } = event.data;
      if (key.startsWith('end/')) return { ...state, ended: true };
      const [kind, id = ''] = key.split('/');
      const step = kind === 'step' ? state.steps[id] : undefined;
      if (step === undefined || keyOf(id, step) !== key) return state;
      if (step.state !== 'cancelled') return withStep(state, id, { ...step, result });
      // It took effect all the same, when the run was on its way back already.
      const order = state.successes + 1;
      return { ...withStep(state, id, { ...step, result, order }), successes: order };
    }
    default:
      return state;
  }
}

const withStep = (state: WorkflowState, id: string, step: StepState): WorkflowState => ({
  ...state,
  steps: { ...state.steps, [id]: step },
});

function onInput(state: WorkflowState, input: Input, source: string): WorkflowState {
  switch (input.type) {
    case 'WorkflowRunStarted': {
      const { inputs, startedBy, rights } = input.data;
      const { repositories } = rights;
      const definition = input.data.definition as unknown as Definition;
      const byId = new Map(definition.steps.map((step) => [step.id, step]));
      const steps = Object.fromEntries(definition.steps.map(({ id }) => [id, pending]));
      return { ...state, run: { id: source, definition, byId, inputs, startedBy, repositories }, steps };
    }
    case 'WorkflowRunPaused':
      return { ...state, paused: true };
    case 'WorkflowRunResumed':
      return { ...state, paused: false };
    case 'WorkflowRunCancelAsked':
      if (state.concluding) return state;
      return { ...state, ending: state.ending ?? { outcome: 'cancelled', failure: because('run', input.data.reason) } };
    case 'WorkflowRunRetried':
      return {
        ...initial,
        run: state.run,
        steps: state.steps,
        successes: state.successes,
        generation: state.generation + 1,
      };
    case 'WorkflowRunEventSeen': {
      const { step: id, round, attempt, event } = input.data;
      const step = state.steps[id];
      if (step?.state !== 'running' || keyOf(id, step) !== keyOf(id, { round, attempt })) return state;
      const waiting = state.run?.byId.get(id);
      const name = `workledger.${streamType(event.stream)}.${event.type}`;
      const isFault = waiting?.kind === 'wait' && waiting.failsOn?.includes(name) === true;
      const reasonOf = (event.data as { readonly reason?: unknown } | null)?.reason;
      const reason = `${event.type} of ${event.stream}${typeof reasonOf === 'string' ? `: ${reasonOf}` : ''}`;
      const arrived = isFault ? { failure: because(id, reason), again: false } : { result: event };
      return withStep(state, id, { ...step, arrived });
    }
    default: {
      const found = Object.entries(state.steps).find(
        ([, { awaits, arrived }]) => awaits === source && arrived === null,
      );
      const step = found && state.run?.byId.get(found[0]);
      const arrived = found && step && arrivalOf(input, step);
      return found && arrived ? withStep(state, found[0], { ...found[1], arrived }) : state;
    }
  }
}

function arrivalOf(input: Input, step: Step): Arrival | null {
  const failed = (reason: string, again: boolean): Arrival => ({ failure: because(step.id, reason), again });
  switch (input.type) {
    case 'QuestionAnswered':
    case 'QuestionDefaulted': {
      const { choice } = input.data;
      if (step.kind !== 'approval') return null;
      const refusals = step.refusals ?? (step.choices === undefined ? [CHOICES[1]] : []);
      const by = input.type === 'QuestionAnswered' ? input.data.answeredBy : null;
      return choice !== null && refusals.includes(choice)
        ? failed(`answered ${choice}${by === null ? '' : ` by ${by}`}`, false)
        : { result: { choice, answeredBy: by } };
    }
    case 'QuestionFailed':
    case 'QuestionWithdrawn':
      return failed(`the question has no answer: ${input.data.reason}`, false);
    case 'WorkflowRunCompleted':
      return { result: input.data.outputs };
    case 'WorkflowRunFailed':
      return failed(`its run failed: ${input.data.failure.step}: ${input.data.failure.reason}`, true);
    case 'WorkflowRunCancelled':
      return failed(`its run was cancelled: ${input.data.reason}`, false);
    default:
      return null;
  }
}

type Changed = Extract<SagaEvent, { type: 'SagaStepChanged' }>['data'];
type Detail = { readonly awaits?: string; readonly result?: unknown; readonly failure?: Failure };

/** What is no step of the definition: what a run answers. */
export const OUTPUTS = '/outputs';

function onStep(state: WorkflowState, { step: id, round, attempt, ...change }: Changed): WorkflowState {
  const before = state.steps[id] ?? pending;
  const detail = change.detail as Detail;
  const became = (step: Partial<StepState>): WorkflowState =>
    id === OUTPUTS ? state : withStep(state, id, { ...before, round, attempt, ...step });
  switch (change.state) {
    case 'started':
      return became({ state: 'running', awaits: detail.awaits ?? null, arrived: null, result: null });
    case 'waiting':
      return became({ state: 'resting' });
    case 'succeeded': {
      const result = 'result' in detail ? detail.result : before.result;
      const after = became({ state: 'succeeded', order: state.successes + 1, result });
      return { ...after, successes: state.successes + 1 };
    }
    case 'skipped':
      return became({ state: 'skipped' });
    case 'failed': {
      const failure = detail.failure ?? because(id, 'it failed');
      return { ...became({ state: 'failed' }), ending: state.ending ?? { outcome: 'failed', failure } };
    }
    case 'cancelled':
      return became({ state: 'cancelled' });
    case 'sent-back':
      return became({ ...pending, round, attempt: 0 });
    case 'compensating':
      return state;
    case 'compensated':
      return { ...became({ undone: true }), notUndone: detail.failure ? [...state.notUndone, id] : state.notUndone };
  }
}
