import type { Step } from '@workledger/shared/contexts/task/workflow/definition.ts';
import type { Failure } from '@workledger/shared/contexts/values.ts';
import { ExpressionFailed } from '@workledger/shared/workflows/expression.ts';
import { because } from '../engine/component.ts';
import { command, timer } from '../engine/saga.ts';
import { doubling, jittered } from '../pipeline/definition.ts';
import { actionOf } from './begin.ts';
import { keyOf, type Ending, type StepState } from './state.ts';
import { isUnderWay, stepsThat, type Way } from './way.ts';

const ATTEMPTS = 5;
const delaySeconds = doubling(1, 30);

/** Ends what an attempt of a step has under way. A command is not stopped: it may have taken effect. */
export function letGo(way: Way, step: Step): void {
  const own = way.step(step.id);
  const key = keyOf(step.id, own);
  way.stop(`${key}/`);
  if (way.effect(key)?.kind !== 'command') way.stop(key, (effect) => effect.kind !== 'command');
  if (own.awaits === null || own.arrived !== null) return;
  const stop = `stop/${step.id}/${own.round}/${own.attempt}`;
  const reason = 'its step has ended';
  if (step.kind === 'approval') way.ask(command(stop, 'question.withdraw', own.awaits, { reason }));
  if (step.kind === 'workflow') way.ask(command(stop, 'workflow-run.cancel', own.awaits, { reason }));
}

/** One move on the way back: what runs must have stopped, then step after step is undone, last comes the end. */
export function unwind(way: Way, ending: Ending): void {
  for (const step of stepsThat(way, isUnderWay)) {
    letGo(way, step);
    way.change(step.id, 'cancelled');
  }
  if (stillRunning(way)) return;
  for (;;) {
    const next = nextToUndo(way);
    if (next === undefined) return conclude(way, ending);
    if (!undo(way, next)) return;
  }
}

function stillRunning(way: Way): boolean {
  const isCancelled = ({ state }: StepState): boolean => state === 'cancelled' || state === 'failed';
  return stepsThat(way, isCancelled).some((step) => {
    const own = way.step(step.id);
    const effect = way.effect(keyOf(step.id, own));
    if (effect === undefined) return false;
    if (effect.kind !== 'timer' && ['requested', 'cancelled'].includes(effect.state)) return true;
    return step.kind === 'workflow' && effect.state === 'succeeded' && own.arrived === null;
  });
}

/** The last that succeeded, or was under way and may have taken effect, of those that can be undone. */
function nextToUndo(way: Way): Step | undefined {
  const mayStand = ({ id, kind }: Step): boolean => {
    const own = way.step(id);
    if (own.undone) return false;
    const status = way.status(keyOf(id, own));
    // Its time was over before its command had taken effect.
    if (own.state === 'failed') return kind === 'command' && status === 'succeeded';
    return own.state === 'succeeded' || (own.state === 'cancelled' && ['succeeded', 'stopped'].includes(status ?? ''));
  };
  const place = ({ id }: Step): number => way.step(id).order ?? Number.POSITIVE_INFINITY;
  return way.run.definition.steps
    .filter((step) => step.compensation !== undefined && mayStand(step))
    .toSorted((a, b) => place(b) - place(a))[0];
}

/** @returns whether it is over: undone, or given up */
function undo(way: Way, step: Step): boolean {
  const { id, compensation } = step;
  const own = way.step(id);
  if (compensation === undefined) return true;
  let number = 1;
  while (way.status(`undo/${id}/${own.round}/${number}/retry`) === 'succeeded') number++;
  const key = `undo/${id}/${own.round}/${number}`;
  const effect = way.effect(key);
  if (effect === undefined) {
    if (number === 1) way.change(id, 'compensating');
    try {
      // What it answered is there to undo it by, whether or not it was taken.
      const scope = way.scope();
      const steps = { ...scope.steps, [id]: { result: own.result } };
      way.ask(actionOf(way, compensation, key, { scope: { ...scope, steps }, round: own.round, undo: true, id }));
      return false;
    } catch (error) {
      if (!(error instanceof ExpressionFailed)) throw error;
      return giveUp(way, id, because(id, error.message));
    }
  }
  if (effect.state === 'succeeded') {
    way.change(id, 'compensated');
    return true;
  }
  if (effect.state !== 'failed') return false;
  if (number >= ATTEMPTS || way.status(`${key}/retry`) === 'failed') return giveUp(way, id, effect.failure);
  way.ask(timer(`${key}/retry`, jittered(delaySeconds(number + 1), way.now)));
  return false;
}

/** The way back goes on without it; the end of the run tells so. */
function giveUp(way: Way, id: string, failure: Failure): boolean {
  way.change(id, 'compensated', { failure });
  return true;
}

function conclude(way: Way, { outcome, failure }: Ending): void {
  const key = `end/${way.state().generation}/${outcome}`;
  const notUndone = [...way.state().notUndone];
  way.ask(
    outcome === 'failed'
      ? command(key, 'workflow-run.fail', way.run.id, { failure, notUndone })
      : command(key, 'workflow-run.end-cancelled', way.run.id, { notUndone }),
  );
}
