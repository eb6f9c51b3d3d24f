import type { Effect, SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import type { Decision, EffectRequest, Effects, EffectStatus, Saga } from './saga.ts';

/** One running saga, folded from its stream. */
export type Instance<State> = {
  /** Highest revision seen of each source stream: a repeated input is ignored. */
  readonly inputs: ReadonlyMap<string, number>;
  readonly effects: Effects;
  /** Effects as they were requested, by key. */
  readonly requests: ReadonlyMap<string, Effect>;
  readonly ended: boolean;
  readonly state: State;
};

/** What moves a saga: an event from outside, or the result of one of its effects. */
export type Trigger = Extract<SagaEvent, { type: 'SagaInputReceived' | 'SagaEffectSucceeded' | 'SagaEffectFailed' }>;

export const newInstance = <State>(saga: Saga<State>): Instance<State> => ({
  inputs: new Map(),
  effects: new Map(),
  requests: new Map(),
  ended: false,
  state: saga.initial,
});

/** Folds one event of the saga's own stream. */
export function evolve<State>(saga: Saga<State>, instance: Instance<State>, event: SagaEvent): Instance<State> {
  const next = { ...instance, state: saga.evolve(instance.state, event) };
  switch (event.type) {
    case 'SagaInputReceived':
      return { ...next, inputs: new Map(instance.inputs).set(event.data.source.stream, event.data.source.revision) };
    case 'SagaEffectRequested': {
      const { effect } = event.data;
      return {
        ...next,
        requests: new Map(instance.requests).set(effect.key, effect),
        effects: new Map(instance.effects).set(effect.key, { state: 'requested', kind: effect.kind }),
      };
    }
    case 'SagaEffectSucceeded':
    case 'SagaEffectFailed':
    case 'SagaEffectCancelled':
      return { ...next, effects: settle(instance.effects, event) };
    case 'SagaEnded':
      return { ...next, ended: true };
    case 'SagaStepChanged':
      return next;
  }
}

type Settling = Extract<SagaEvent, { type: 'SagaEffectSucceeded' | 'SagaEffectFailed' | 'SagaEffectCancelled' }>;

function settle(effects: Effects, event: Settling): Effects {
  const before = effects.get(event.data.key);
  if (before === undefined) return effects;
  return new Map(effects).set(event.data.key, after(before, event));
}

function after({ state, kind }: EffectStatus, event: Settling): EffectStatus {
  if (event.type === 'SagaEffectCancelled') return { state: 'cancelled', kind };
  if (state === 'cancelled') return { state: 'stopped', kind };
  if (event.type === 'SagaEffectSucceeded') return { state: 'succeeded', kind, result: event.data.result };
  const { failure, retryable, costUsd } = event.data;
  return { state: 'failed', kind, failure, retryable, costUsd };
}

/** The events to append for a trigger, the trigger first; none when it was seen before or is no longer wanted. */
export function accept<State>(saga: Saga<State>, instance: Instance<State>, trigger: Trigger, now: Date): SagaEvent[] {
  if (!isWanted(instance, trigger)) return [];
  const moved = evolve(saga, instance, trigger);
  if (moved.ended) return [trigger];
  const decisions = saga.react(moved.state, trigger, moved.effects, now);
  return [trigger, ...decisions.map((decision) => toEvent(decision, now))];
}

function isWanted<State>({ ended, inputs, effects }: Instance<State>, trigger: Trigger): boolean {
  if (trigger.type === 'SagaInputReceived') {
    const { stream, revision } = trigger.data.source;
    return !ended && revision > (inputs.get(stream) ?? -1);
  }
  const state = effects.get(trigger.data.key)?.state;
  return state === 'requested' || state === 'cancelled';
}

function toEvent(decision: Decision, now: Date): SagaEvent {
  switch (decision.decide) {
    case 'request':
      return { type: 'SagaEffectRequested', data: { effect: due(decision.effect, now) } };
    case 'cancel':
      return { type: 'SagaEffectCancelled', data: { key: decision.key } };
    case 'record':
      return decision.event;
  }
}

const due = (effect: EffectRequest, now: Date): Effect =>
  effect.kind === 'timer'
    ? { kind: 'timer', key: effect.key, dueAt: new Date(now.getTime() + effect.afterSeconds * 1000).toISOString() }
    : effect;
