import type { QuestionEvent } from '@workledger/shared/contexts/task/question/events.ts';
import type { SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import type { Step } from '@workledger/shared/contexts/task/workflow/definition.ts';
import { AT_ONCE } from '@workledger/shared/contexts/task/workflow/definition.ts';
import type { WorkflowRunEvent } from '@workledger/shared/contexts/task/workflow-run/events.ts';
import type { Failure } from '@workledger/shared/contexts/values.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { ExpressionFailed } from '@workledger/shared/workflows/expression.ts';
import { withAllAfter } from '@workledger/shared/workflows/graph.ts';
import { fill } from '@workledger/shared/workflows/template.ts';
import { because } from '../engine/component.ts';
import { command, inputOf, timer, type Decision, type Effects, type Saga } from '../engine/saga.ts';
import { jittered } from '../pipeline/definition.ts';
import { begun, fitting } from './begin.ts';
import { evolve, initial, keyOf, OUTPUTS, type Input, type StepState, type WorkflowState } from './state.ts';
import { letGo, unwind } from './unwind.ts';
import { createWay, isOpen, isUnderWay, stepsThat, type Way } from './way.ts';

/** A run of a workflow: its steps in the order of their graph, so many at once. One instance a run, under its id. */
export const workflow: Saga<WorkflowState> = {
  name: 'workflow',
  topics: ['task'],
  correlate,
  initial,
  evolve,
  react,
};

function correlate({ type, stream, data }: RecordedEvent): string | null {
  if (type.startsWith('WorkflowRun')) {
    if (type === 'WorkflowRunWaitBegan') return null;
    if (!ENDS.has(type)) return streamId(stream);
    return (data as { readonly parent: { readonly runId: string } | null }).parent?.runId ?? null;
  }
  if (!ANSWERS.has(type)) return null;
  const { taskId, runId } = data as QuestionEvent['data'];
  return taskId === null ? runId : null;
}

/** Of a sub-workflow: its parent goes on. */
const ENDS = new Set<string>([
  'WorkflowRunCompleted',
  'WorkflowRunFailed',
  'WorkflowRunCancelled',
] satisfies WorkflowRunEvent['type'][]);
const ANSWERS = new Set<string>([
  'QuestionAnswered',
  'QuestionDefaulted',
  'QuestionFailed',
  'QuestionWithdrawn',
] satisfies QuestionEvent['type'][]);

/** Everything that follows from the newest event. */
function react(state: WorkflowState, event: SagaEvent, effects: Effects, now: Date): readonly Decision[] {
  const { run } = state;
  if (run === null) return [];
  const way = createWay(state, run, effects, now);
  if (event.type === 'SagaInputReceived') onInput(way, inputOf<Input>(event), event.data.source.revision);
  if (way.state().ended) {
    if (way.state().ending === null) way.end();
    return way.decisions;
  }
  for (const step of stepsThat(way, isUnderWay)) if (way.state().ending === null) settle(way, step);
  if (way.state().ending === null && !way.state().paused) goOn(way);
  const { ending } = way.state();
  if (ending !== null) unwind(way, ending);
  else if (stepsThat(way, isOpen).length === 0) complete(way);
  return way.decisions;
}

function onInput(way: Way, input: Input, revision: number): void {
  if (input.type === 'WorkflowRunRetried') return takeUp(way, input.data.from);
  const type =
    input.type === 'WorkflowRunPaused'
      ? 'workflow-run.pause'
      : input.type === 'WorkflowRunResumed'
        ? 'workflow-run.resume'
        : null;
  if (type === null) return;
  // What it has others do for it stands still with it.
  for (const { id, kind } of stepsThat(way, isUnderWay)) {
    const { awaits, arrived } = way.step(id);
    if (kind === 'workflow' && awaits !== null && arrived === null)
      way.ask(command(`hold/${id}/${revision}`, type, awaits, {}));
  }
}

/** What failed, what was undone, what is asked for, and all after these begins anew. */
function takeUp(way: Way, from: readonly string[]): void {
  const { steps } = way.run.definition;
  const isLost = ({ state, undone }: StepState): boolean => undone || state === 'failed' || state === 'cancelled';
  const lost = stepsThat(way, isLost).map(({ id }) => id);
  for (const id of withAllAfter(steps, [...from, ...lost]))
    if (way.step(id).state !== 'pending') way.change(id, 'sent-back');
}

/** Looks what became of a step that is under way. */
function settle(way: Way, step: Step): void {
  const own = way.step(step.id);
  const key = keyOf(step.id, own);
  if (own.state === 'resting') {
    if (way.status(`${key}/retry`) === 'succeeded' && !way.state().paused)
      begin(way, step, { round: own.round, attempt: own.attempt + 1 });
    return;
  }
  const effect = way.effect(key);
  if (effect?.state === 'failed')
    return failAttempt(way, step, effect.failure, step.kind !== 'call' || effect.retryable);
  if (way.status(`${key}/timeout`) === 'succeeded')
    return failAttempt(way, step, because(step.id, `no end within ${step.timeoutSeconds} s`), true);
  if (step.kind === 'command' || step.kind === 'call' || step.kind === 'timer') {
    if (effect?.state === 'succeeded') succeed(way, step);
    return;
  }
  if (own.arrived === null) return;
  if ('failure' in own.arrived) return failAttempt(way, step, own.arrived.failure, own.arrived.again);
  succeed(way, step, own.arrived.result);
}

function succeed(way: Way, step: Step, result?: unknown): void {
  way.stop(`${keyOf(step.id, way.step(step.id))}/`);
  way.change(step.id, 'succeeded', result === undefined ? {} : { result });
}

function failAttempt(way: Way, step: Step, failure: Failure, again: boolean): void {
  const { attempt } = way.step(step.id);
  const key = keyOf(step.id, way.step(step.id));
  letGo(way, step);
  const { attempts = 1, backoffSeconds = 1 } = step.retry ?? {};
  if (!again || attempt >= attempts) return way.change(step.id, 'failed', { failure });
  way.change(step.id, 'waiting', { failure });
  way.ask(timer(`${key}/retry`, jittered(Math.min(3_600, backoffSeconds * 2 ** (attempt - 1)), way.now)));
}

const WAITING_KINDS = ['approval', 'wait', 'workflow', 'command'];

function begin(way: Way, step: Step, entry: { readonly round: number; readonly attempt: number }): void {
  try {
    const first = begun(way, step, entry);
    if ('result' in first) {
      way.change(step.id, 'started', {}, entry);
      return way.change(step.id, 'succeeded', { result: first.result });
    }
    way.change(step.id, 'started', first.awaits === undefined ? {} : { awaits: first.awaits }, entry);
    way.ask(first.effect);
    if (step.timeoutSeconds !== undefined && WAITING_KINDS.includes(step.kind))
      way.ask(timer(`${keyOf(step.id, entry)}/timeout`, step.timeoutSeconds));
  } catch (error) {
    if (!(error instanceof ExpressionFailed)) throw error;
    way.change(step.id, 'started', {}, entry);
    way.change(step.id, 'failed', { failure: because(step.id, error.message) });
  }
}

/** Begins what may begin, and passes by what nothing leads to, as long as something follows from that. */
function goOn(way: Way): void {
  const { definition } = way.run;
  const atOnce = definition.atOnce ?? AT_ONCE;
  let underWay = stepsThat(way, isUnderWay).length;
  for (let moved = true; moved && way.state().ending === null;) {
    moved = false;
    for (const step of stepsThat(way, ({ state }) => state === 'pending')) {
      const ready = readiness(way, step);
      if (ready === 'not-yet' || (ready === 'begins' && (way.isFull() || underWay >= atOnce))) continue;
      moved = true;
      const entry = { round: way.step(step.id).round + 1, attempt: 1 };
      if (ready === 'skipped') way.change(step.id, 'skipped', {}, entry);
      else begin(way, step, entry);
      if (isUnderWay(way.step(step.id))) underWay += 1;
      if (way.state().ending !== null) return;
    }
  }
}

function readiness(way: Way, { after = [], join = 'all' }: Step): 'begins' | 'skipped' | 'not-yet' {
  const links = after.map((link) => {
    const { state, result } = way.step(typeof link === 'string' ? link : link.step);
    if (['pending', 'running', 'resting'].includes(state)) return 'open';
    if (state !== 'succeeded') return 'not';
    const isChosen = typeof link === 'string' || (result as { choice?: unknown } | null)?.choice === link.choice;
    return isChosen ? 'leads' : 'not';
  });
  if (join === 'all' && links.includes('not')) return 'skipped';
  if (links.includes('open')) return 'not-yet';
  return links.length === 0 || links.includes('leads') ? 'begins' : 'skipped';
}

/** All steps are done: what the run answers is told, and it ends. */
function complete(way: Way): void {
  const key = `end/${way.state().generation}`;
  const before = way.effect(key);
  if (before?.state === 'failed') {
    way.change(OUTPUTS, 'failed', { failure: before.failure });
    const { ending } = way.state();
    if (ending !== null) unwind(way, ending);
    return;
  }
  try {
    const outputs = fill(way.run.definition.outputs ?? {}, way.scope()) as Record<string, unknown>;
    way.ask(fitting(command(key, 'workflow-run.complete', way.run.id, { outputs })));
  } catch (error) {
    if (!(error instanceof ExpressionFailed)) throw error;
    way.change(OUTPUTS, 'failed', { failure: because('outputs', error.message) });
    const { ending } = way.state();
    if (ending !== null) unwind(way, ending);
  }
}
