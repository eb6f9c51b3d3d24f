import type { SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import type { Step } from '@workledger/shared/contexts/task/workflow/definition.ts';
import type { Scope } from '@workledger/shared/workflows/expression.ts';
import { cancel, request, type Decision, type EffectRequest, type Effects, type EffectStatus } from '../engine/saga.ts';
import { evolve, type StepState, type WorkflowState } from './state.ts';

/** Bytes of what one reaction asks for: what is left goes on with the next result. An append has 512 KiB at most. */
const MOST_BYTES = 200_000;
/** Of one effect: an event has 256 KiB at most. */
export const LARGEST_REQUEST = 150_000;

export const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

type Run = NonNullable<WorkflowState['run']>;
type Change = Extract<SagaEvent, { type: 'SagaStepChanged' }>['data']['state'];

/** A run on its way through one reaction: the state as decided so far, and the decisions. */
export type Way = {
  readonly run: Run;
  readonly now: Date;
  readonly decisions: readonly Decision[];
  state(): WorkflowState;
  step(id: string): StepState;
  /** How an effect stands; null: it was not asked for. */
  status(key: string): EffectStatus['state'] | null;
  effect(key: string): EffectStatus | undefined;
  /** All effects that were asked for before this reaction. */
  readonly effects: Effects;
  /** Asks for it, once. */
  ask(effect: EffectRequest): void;
  /** Stops what is under way, those whose key begins so and `which` accepts. */
  stop(prefix: string, which?: (effect: EffectStatus) => boolean): void;
  change(
    id: string,
    state: Change,
    detail?: object,
    entry?: { readonly round: number; readonly attempt: number },
  ): void;
  end(): void;
  /** No more is to be begun in this reaction. */
  isFull(): boolean;
  scope(): Scope;
};

export function createWay(from: WorkflowState, run: Run, effects: Effects, now: Date): Way {
  let state = from;
  let bytes = 0;
  const decisions: Decision[] = [];
  const asked = new Map<string, EffectRequest['kind']>();
  const record = (event: Extract<Decision, { decide: 'record' }>['event']): void => {
    decisions.push({ decide: 'record', event });
    state = evolve(state, event);
  };
  return {
    ...{ run, now, decisions, effects },
    state: () => state,
    step: (id) => state.steps[id] as StepState,
    status: (key) => effects.get(key)?.state ?? (asked.has(key) ? 'requested' : null),
    effect: (key) => effects.get(key),
    ask: (effect) => {
      if (effects.has(effect.key) || asked.has(effect.key)) return;
      asked.set(effect.key, effect.kind);
      bytes += bytesOf(effect);
      decisions.push(request(effect));
    },
    stop: (prefix, which = () => true) => {
      for (const [key, effect] of effects)
        if (effect.state === 'requested' && key.startsWith(prefix) && which(effect)) decisions.push(cancel(key));
    },
    change: (id, became, detail = {}, entry) => {
      const { round, attempt } = entry ?? { round: 1, attempt: 1, ...state.steps[id] };
      const at = { round: Math.max(1, round), attempt: Math.max(1, attempt) };
      record({ type: 'SagaStepChanged', data: { step: id, ...at, state: became, detail } });
    },
    end: () => record({ type: 'SagaEnded', data: { outcome: 'completed', failure: null } }),
    isFull: () => bytes > MOST_BYTES,
    scope: () => ({
      inputs: run.inputs,
      run: { id: run.id, startedBy: run.startedBy },
      steps: Object.fromEntries(
        Object.entries(state.steps).flatMap(([id, { state: became, result }]) =>
          became === 'succeeded' ? [[id, { result }] as const] : [],
        ),
      ),
    }),
  };
}

export const isOpen = ({ state }: StepState): boolean => ['pending', 'running', 'resting'].includes(state);
export const isUnderWay = ({ state }: StepState): boolean => state === 'running' || state === 'resting';

/** The steps of a run that are in one of these states, as they were when it was asked. */
export const stepsThat = (way: Way, is: (step: StepState) => boolean): readonly Step[] =>
  way.run.definition.steps.filter(({ id }) => is(way.step(id)));
