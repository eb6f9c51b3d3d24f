import { request, timer, type Decision, type Effects } from '../engine/saga.ts';
import { createEffector } from './effector.ts';
import {
  doubling,
  type Effector,
  type Ending,
  jittered,
  type Outcome,
  type PipelineDefinition,
  type PipelineState,
  type Step,
} from './definition.ts';

/** A pipeline on its way through one reaction: the state as decided so far, and the decisions. */
export type Way<Facts> = {
  readonly definition: PipelineDefinition<Facts>;
  readonly effects: Effects;
  readonly now: Date;
  state(): PipelineState<Facts>;
  decide(decision: Decision): void;
  record(event: Extract<Decision, { decide: 'record' }>['event']): void;
  /** Asks all effects that are still under way to stop, those whose key begins so. */
  cancelUnderWay(prefix: string): void;
};

const ATTEMPTS = 5;
const delaySeconds = doubling(1, 30);
const TIMEOUT_SECONDS = 120;

/** One move on the way back: first what runs must have stopped, then step after step is undone, last comes the conclusion. */
export function unwind<Facts>(way: Way<Facts>, ending: Ending): boolean {
  if (stillRunning(way.effects)) return false;
  const [next] = ending.undo;
  if (next === undefined) return conclude(way, ending);
  const step = stepOf(way, next.step);
  const undo = next.abandoned ? (step.abandon ?? step.compensate) : step.compensate;
  const round = way.state().rounds[next.step] ?? 1;
  const attempted = attempt(
    way,
    `undo/${next.step}`,
    round,
    (on) => undo?.(way.state().facts, on) ?? { is: 'done', detail: {} },
  );
  const record = (state: 'compensating' | 'compensated', detail: unknown): void =>
    way.record({
      type: 'SagaStepChanged',
      data: { step: next.step, round, attempt: attempted.attempt, state, detail },
    });
  if (attempted.isFirst) record('compensating', { abandoned: next.abandoned });
  attempted.decide();
  if (attempted.outcome.is === 'waiting') return false;
  record('compensated', attempted.outcome.is === 'failed' ? { failure: attempted.outcome.failure } : {});
  return true;
}

/** A step by its name. @throws when this version of the pipeline does not know it: its saga stands still until one does */
export function stepOf<Facts>({ definition }: Way<Facts>, name: string): Step<Facts> {
  const step = definition.steps.find((candidate) => candidate.name === name);
  if (step === undefined) throw new Error(`pipeline ${definition.name} has no step ${name}`);
  return step;
}

function conclude<Facts>(way: Way<Facts>, ending: Ending): boolean {
  const attempted = attempt(way, 'end', 1, (on) => way.definition.conclude(way.state().facts, ending, on));
  attempted.decide();
  if (attempted.outcome.is === 'waiting') return false;
  const isAchieved = way.definition.achieved?.(way.state().facts) === true;
  const { outcome, failure } = isAchieved ? ({ outcome: 'completed', failure: null } as const) : ending;
  way.record({ type: 'SagaEnded', data: { outcome, failure } });
  return true;
}

type Attempted = { attempt: number; isFirst: boolean; outcome: Outcome; decide: () => void };

/** One attempt on the way back. What fails is tried again a few times; then the way back goes on without it. */
function attempt<Facts>(way: Way<Facts>, prefix: string, round: number, act: (on: Effector) => Outcome): Attempted {
  const number = attemptNumber(way.effects, prefix);
  const place = { round, attempt: number, timeoutSeconds: TIMEOUT_SECONDS, now: way.now };
  const { on, collected } = createEffector(way.effects, { ...place, prefix: `${prefix}/${number}` });
  const outcome = act(on);
  const isFirst = number === 1 && ![...way.effects.keys()].some((key) => key.startsWith(`${prefix}/1/`));
  if (collected.failure === null) {
    const decide = (): void => collected.requested.forEach((effect) => way.decide(request(effect)));
    return { attempt: number, isFirst, outcome, decide };
  }
  if (!collected.failure.retryable || number >= ATTEMPTS)
    return { attempt: number, isFirst, outcome: { is: 'failed', ...collected.failure }, decide: () => undefined };
  const retry = timer(`${prefix}/${number}/retry`, jittered(delaySeconds(number + 1), way.now));
  const decide = (): void => {
    if (!way.effects.has(retry.key)) way.decide(request(retry));
  };
  return { attempt: number, isFirst, outcome: { is: 'waiting' }, decide };
}

function attemptNumber(effects: Effects, prefix: string): number {
  let number = 1;
  while (effects.get(`${prefix}/${number}/retry`)?.state === 'succeeded') number++;
  return number;
}

const stillRunning = (effects: Effects): boolean =>
  [...effects].some(
    ([key, { kind, state }]) =>
      kind === 'call' &&
      (state === 'cancelled' || (state === 'requested' && !key.startsWith('undo/') && !key.startsWith('end/'))),
  );
