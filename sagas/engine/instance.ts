import type { Effect, SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import type { Decision, EffectRequest, EffectStatus, Saga } from './saga.ts';

/** One running saga, folded from its stream in place: a copy at each event would make long streams cost their square. */
export type Instance<State> = {
  /** Highest revision seen of each source stream: a repeated input is ignored. */
  readonly inputs: Map<string, number>;
  readonly effects: Map<string, EffectStatus>;
  /** Effects as they were requested, by key, until they have their result: their data may be large. */
  readonly requests: Map<string, Effect>;
  /** How often a stop ended an effect before its end, by key. */
  readonly interruptions: Map<string, number>;
  /** Why an effect was postponed last, by key. */
  readonly postponed: Map<string, string>;
  ended: boolean;
  state: State;
};

/** What moves a saga: an event from outside, or the result of one of its effects. */
export type Trigger = Extract<
  SagaEvent,
  { type: 'SagaInputReceived' | 'SagaEffectSucceeded' | 'SagaEffectFailed' | Note['type'] }
>;
/** What is worth to be known of an effect that is still asked for. */
type Note = Extract<SagaEvent, { type: 'SagaEffectInterrupted' | 'SagaEffectPostponed' }>;
const isNote = (trigger: Trigger): trigger is Note =>
  trigger.type === 'SagaEffectInterrupted' || trigger.type === 'SagaEffectPostponed';

export const newInstance = <State>(saga: Saga<State>): Instance<State> => ({
  inputs: new Map(),
  effects: new Map(),
  requests: new Map(),
  interruptions: new Map(),
  postponed: new Map(),
  ended: false,
  state: saga.initial,
});

/** Folds one event of the saga's own stream into the instance. @throws what the saga throws: the instance is as it was */
export function fold<State>(saga: Saga<State>, instance: Instance<State>, event: SagaEvent): void {
  instance.state = saga.evolve(instance.state, event);
  switch (event.type) {
    case 'SagaInputReceived':
      instance.inputs.set(event.data.source.stream, event.data.source.revision);
      return;
    case 'SagaEffectRequested': {
      const { effect } = event.data;
      instance.requests.set(effect.key, effect);
      instance.effects.set(effect.key, { state: 'requested', kind: effect.kind });
      return;
    }
    case 'SagaEffectSucceeded':
    case 'SagaEffectFailed':
    case 'SagaEffectCancelled': {
      const before = instance.effects.get(event.data.key);
      if (before === undefined) return;
      instance.effects.set(event.data.key, after(before, event));
      if (event.type !== 'SagaEffectCancelled') instance.requests.delete(event.data.key);
      return;
    }
    case 'SagaEffectInterrupted':
      instance.interruptions.set(event.data.key, event.data.times);
      return;
    case 'SagaEffectPostponed':
      instance.postponed.set(event.data.key, event.data.failure.reason);
      return;
    case 'SagaEnded':
      instance.ended = true;
      return;
    case 'SagaStepChanged':
  }
}

type Settling = Extract<SagaEvent, { type: 'SagaEffectSucceeded' | 'SagaEffectFailed' | 'SagaEffectCancelled' }>;

function after({ state, kind }: EffectStatus, event: Settling): EffectStatus {
  if (event.type === 'SagaEffectCancelled') return { state: 'cancelled', kind };
  if (state === 'cancelled') return { state: 'stopped', kind };
  if (event.type === 'SagaEffectSucceeded') return { state: 'succeeded', kind, result: event.data.result };
  const { failure, retryable, costUsd, prompt, fault, until } = event.data;
  return { state: 'failed', kind, failure, retryable, costUsd, prompt, fault: fault ?? null, until: until ?? null };
}

/**
 * The events to append for a trigger, the trigger first; none when it was seen before or is no longer wanted. The instance stays as
 * it is: it is moved by what the log gives back.
 * @throws what the saga throws
 */
export function accept<State>(saga: Saga<State>, instance: Instance<State>, trigger: Trigger, now: Date): SagaEvent[] {
  if (!isWanted(instance, trigger)) return [];
  const state = saga.evolve(instance.state, trigger);
  if (instance.ended || isNote(trigger)) return [trigger];
  const decisions = asAfter(trigger, instance.effects, () => saga.react(state, trigger, instance.effects, now));
  return [trigger, ...decisions.map((decision) => toEvent(decision, now))];
}

/** Decides as if the effect had its result, without a copy of all effects. */
function asAfter<Result>(
  trigger: Exclude<Trigger, Note>,
  effects: Map<string, EffectStatus>,
  decide: () => Result,
): Result {
  if (trigger.type === 'SagaInputReceived') return decide();
  const { key } = trigger.data;
  const before = effects.get(key);
  if (before === undefined) return decide();
  effects.set(key, after(before, trigger));
  try {
    return decide();
  } finally {
    effects.set(key, before);
  }
}

function isWanted<State>(
  { ended, inputs, effects, interruptions, postponed }: Instance<State>,
  trigger: Trigger,
): boolean {
  if (trigger.type === 'SagaInputReceived') {
    const { stream, revision } = trigger.data.source;
    return !ended && revision > (inputs.get(stream) ?? -1);
  }
  const state = effects.get(trigger.data.key)?.state;
  if (trigger.type === 'SagaEffectInterrupted')
    return state === 'requested' && trigger.data.times === (interruptions.get(trigger.data.key) ?? 0) + 1;
  if (trigger.type === 'SagaEffectPostponed')
    return state === 'requested' && trigger.data.failure.reason !== postponed.get(trigger.data.key);
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
