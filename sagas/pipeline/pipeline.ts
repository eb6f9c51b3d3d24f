import type { SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import { because } from '../engine/component.ts';
import { cancel, request, timer, type Decision, type Effects, type Saga } from '../engine/saga.ts';
import { createEffector } from './effector.ts';
import {
  type EffectPlace,
  type EndDetail,
  jittered,
  type Lesson,
  type Outcome,
  type PipelineDefinition,
  type PipelineState,
  retryAfter,
  type Step,
} from './definition.ts';
import { stepOf, unwind, type Way } from './unwind.ts';

/** Makes a saga of the steps: one after the other, with retries; on failure or stop, what succeeded is undone in reverse. */
export function definePipeline<Facts>(definition: PipelineDefinition<Facts>): Saga<PipelineState<Facts>> {
  const { name, topics, correlate, absorb } = definition;

  function evolve(state: PipelineState<Facts>, event: SagaEvent): PipelineState<Facts> {
    const absorbed = { ...state, facts: learn(definition.steps, absorb(state.facts, event), event) };
    if (event.type === 'SagaStepChanged') return onStepChanged(absorbed, event.data);
    if (event.type === 'SagaEnded') return { ...absorbed, ended: true };
    return absorbed;
  }

  return {
    name,
    topics,
    correlate,
    initial: initialState(definition.facts),
    evolve,
    react: (state: PipelineState<Facts>, _event: SagaEvent, effects: Effects, now: Date) =>
      advance(definition, evolve, state, effects, now),
  };
}

const FORWARD = /^([a-z-]+)\/(\d+)\/(\d+)\/(.+)$/;
const BACK = /^undo\/([a-z-]+)\/(\d+)\/(.+)$/;
const NUMBERED = /^(.+)-(\d+)$/;

/** Folds what the step that an effect belongs to learns from it. */
function learn<Facts>(steps: readonly Step<Facts>[], facts: Facts, event: SagaEvent): Facts {
  switch (event.type) {
    case 'SagaEffectRequested': {
      const { effect } = event.data;
      const [lesson, at] = lessonOf(steps, effect.key);
      return lesson?.asked?.(facts, effect, at) ?? facts;
    }
    case 'SagaEffectSucceeded': {
      const [lesson, at] = lessonOf(steps, event.data.key);
      return lesson?.answered?.(facts, event.data.result, at) ?? facts;
    }
    case 'SagaEffectFailed': {
      const [lesson, at] = lessonOf(steps, event.data.key);
      return lesson?.failed?.(facts, event.data, at) ?? facts;
    }
    case 'SagaEffectCancelled': {
      const [lesson, at] = lessonOf(steps, event.data.key);
      return lesson?.stopped?.(facts, at) ?? facts;
    }
    default:
      return facts;
  }
}

function lessonOf<Facts>(steps: readonly Step<Facts>[], key: string): [Lesson<Facts> | undefined, EffectPlace] {
  const [, back, backAttempt, backName = ''] = BACK.exec(key) ?? [];
  const [, forward, round = 1, attempt = backAttempt, forwardName = ''] = FORWARD.exec(key) ?? [];
  const named = back === undefined ? forwardName : `undo/${backName}`;
  const [, name = named, number = 1] = NUMBERED.exec(named) ?? [];
  const lessons = steps.find((step) => step.name === (back ?? forward))?.learns;
  return [lessons?.[name], { round: Number(round), attempt: Number(attempt), number: Number(number) }];
}

type Evolve<Facts> = (state: PipelineState<Facts>, event: SagaEvent) => PipelineState<Facts>;
const DEFAULT_TIMEOUT_SECONDS = 600;

/** Everything that follows from the newest event, as decisions. */
function advance<Facts>(
  definition: PipelineDefinition<Facts>,
  evolve: Evolve<Facts>,
  from: PipelineState<Facts>,
  effects: Effects,
  now: Date,
): readonly Decision[] {
  let state = from;
  const decisions: Decision[] = [];
  const way: Way<Facts> = {
    definition,
    effects,
    now,
    state: () => state,
    decide: (decision) => decisions.push(decision),
    record: (event) => {
      decisions.push({ decide: 'record', event });
      state = evolve(state, event);
    },
    cancelUnderWay: (prefix) => {
      for (const [key, { state: effect }] of effects)
        if (effect === 'requested' && key.startsWith(prefix)) decisions.push(cancel(key));
    },
  };
  begin(way);
  while (moveOn(way));
  return decisions;
}

function begin<Facts>(way: Way<Facts>): void {
  const { current, ending, ended, rounds, facts } = way.state();
  if (ended || ending !== null) return;
  const started = Object.keys(rounds).length > 0;
  const reason = way.definition.stopped(facts);
  if (reason !== null && current !== null) end(way, 'cancelled', because(current.step, reason));
  else if (reason === null && !started && way.definition.ready(facts)) enter(way, 0);
}

/** One move; false when there is nothing to do until something happens. */
function moveOn<Facts>(way: Way<Facts>): boolean {
  const { current, ending, ended } = way.state();
  if (ended) return false;
  if (ending !== null) return unwind(way, ending);
  if (current === null) return false;
  if (current.resting) return endRest(way, current);
  const step = stepOf(way, current.step);
  const prefix = `${current.step}/${current.round}/${current.attempt}`;
  const timeoutSeconds = step.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS;
  const { on, collected } = createEffector(way.effects, { ...current, prefix, timeoutSeconds, now: way.now });
  const outcome = step.run(way.state().facts, on);
  if (collected.failure !== null) return settle(way, step, prefix, { is: 'failed', ...collected.failure });
  for (const effect of collected.requested) way.decide(request(effect));
  return settle(way, step, prefix, outcome);
}

function settle<Facts>(way: Way<Facts>, step: Step<Facts>, prefix: string, outcome: Outcome): boolean {
  if (outcome.is === 'waiting') return false;
  way.cancelUnderWay(`${prefix}/`);
  if (outcome.is === 'done') {
    change(way, 'succeeded', outcome.detail);
    enter(way, way.definition.steps.indexOf(step) + 1);
  } else if (outcome.is === 'go-to') {
    change(way, 'sent-back', outcome.detail);
    enter(way, way.definition.steps.indexOf(stepOf(way, outcome.step)));
  } else retryOrEnd(way, step, prefix, outcome);
  return true;
}

function retryOrEnd<Facts>(
  way: Way<Facts>,
  step: Step<Facts>,
  prefix: string,
  { failure, retryable, fault }: Extract<Outcome, { is: 'failed' }>,
): void {
  const attempt = way.state().current?.attempt ?? 1;
  const retry = retryAfter(step.retry, fault);
  if (!retryable || retry === undefined || attempt >= retry.attempts) {
    end(way, 'failed', failure);
    return;
  }
  change(way, 'waiting', { failure });
  way.decide(request(timer(`${prefix}/retry`, jittered(retry.delaySeconds(attempt + 1), way.now))));
}

function endRest<Facts>(
  way: Way<Facts>,
  { step, round, attempt }: { step: string; round: number; attempt: number },
): boolean {
  if (way.effects.get(`${step}/${round}/${attempt}/retry`)?.state !== 'succeeded') return false;
  way.record({ type: 'SagaStepChanged', data: { step, round, attempt: attempt + 1, state: 'started', detail: {} } });
  return true;
}

/** Enters the first step from here on that applies; after the last one the pipeline is complete. */
function enter<Facts>(way: Way<Facts>, from: number): void {
  for (const step of way.definition.steps.slice(from)) {
    const round = (way.state().rounds[step.name] ?? 0) + 1;
    const applies = step.when?.(way.state().facts) ?? true;
    const state = applies ? 'started' : 'skipped';
    way.record({
      type: 'SagaStepChanged',
      data: { step: step.name, round, attempt: 1, state, detail: { at: way.now.toISOString() } },
    });
    if (applies) return;
  }
  way.record({ type: 'SagaEnded', data: { outcome: 'completed', failure: null } });
}

function end<Facts>(way: Way<Facts>, outcome: 'failed' | 'cancelled', failure: ReturnType<typeof because>): void {
  const { current, succeeded } = way.state();
  const undoable = (name: string): boolean => stepOf(way, name).compensate !== undefined;
  const undo = succeeded
    .filter((name) => name !== current?.step && undoable(name))
    .toReversed()
    .map((step) => ({ step, abandoned: false }));
  const underWay = current === null ? undefined : stepOf(way, current.step);
  if (underWay?.abandon !== undefined || underWay?.compensate !== undefined)
    undo.unshift({ step: underWay.name, abandoned: true });
  way.cancelUnderWay('');
  change(way, outcome, { failure, undo });
}

function change<Facts>(
  way: Way<Facts>,
  state: 'succeeded' | 'sent-back' | 'waiting' | 'failed' | 'cancelled',
  detail: unknown,
): void {
  const { current } = way.state();
  if (current === null) throw new Error('no step is under way');
  const { step, round, attempt } = current;
  way.record({ type: 'SagaStepChanged', data: { step, round, attempt, state, detail } });
}

const initialState = <Facts>(facts: Facts): PipelineState<Facts> => ({
  facts,
  current: null,
  rounds: {},
  succeeded: [],
  ending: null,
  ended: false,
});

type StepChanged = Extract<SagaEvent, { type: 'SagaStepChanged' }>['data'];

/** Folds a step's change. Facts are folded by the saga itself. */
function onStepChanged<Facts>(state: PipelineState<Facts>, change: StepChanged): PipelineState<Facts> {
  const { step, round, attempt } = change;
  switch (change.state) {
    case 'started':
      return {
        ...state,
        current: { step, round, attempt, resting: false },
        rounds: { ...state.rounds, [step]: round },
      };
    case 'waiting':
      return { ...state, current: { step, round, attempt, resting: true } };
    case 'succeeded':
      return { ...state, current: null, succeeded: [...state.succeeded.filter((name) => name !== step), step] };
    case 'skipped':
    case 'sent-back':
      return { ...state, current: null };
    case 'failed':
    case 'cancelled':
      return { ...state, current: null, ending: { outcome: change.state, ...(change.detail as EndDetail) } };
    case 'compensating':
      return state;
    case 'compensated':
      return state.ending === null
        ? state
        : { ...state, ending: { ...state.ending, undo: state.ending.undo.slice(1) } };
  }
}
