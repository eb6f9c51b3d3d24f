import type { AgentEvent } from '@workledger/shared/contexts/agent/agent/events.ts';
import type { EvolutionEvent } from '@workledger/shared/contexts/evolution/evolution/events.ts';
import type { GenerationEvent } from '@workledger/shared/contexts/evolution/generation/events.ts';
import type { ValidationEvent } from '@workledger/shared/contexts/evolution/validation/events.ts';
import type { SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import type { DeliveryEvent } from '@workledger/shared/contexts/sync/delivery/events.ts';
import type { TaskEvent } from '@workledger/shared/contexts/task/task/events.ts';
import type { DiffStat, Failure, Metrics } from '@workledger/shared/contexts/values.ts';

/** One line for a person: which step, what happened, and whether that is good news. */
export type StepLine = {
  readonly step: string;
  readonly text: string;
  readonly tone: 'plain' | 'good' | 'bad' | 'quiet';
  /** Lines to print below, as they are. */
  readonly more?: readonly string[];
};

export type Described =
  | AgentEvent
  | DeliveryEvent
  | EvolutionEvent
  | GenerationEvent
  | SagaEvent
  | TaskEvent
  | ValidationEvent;

type Names = { readonly agent: (id: string) => string };

/** Tells an event of the main job as a line; null for events that a person need not see. */
export function describe(event: Described, names: Names): StepLine | null {
  const line = (step: string, text: string, tone: StepLine['tone'] = 'plain', more?: readonly string[]): StepLine =>
    more === undefined ? { step, text, tone } : { step, text, tone, more };
  switch (event.type) {
    case 'DeliveryReceived': {
      const { event: name, action, repository, sender } = event.data;
      const what = action === null ? name : `${name}.${action}`;
      return line(
        'webhook',
        `${what} from ${repository ?? 'nowhere'} by ${sender ?? 'nobody'}: signature verified, recorded`,
      );
    }
    case 'DeliveryRouted':
      return line('webhook', `accepted by rule "${event.data.rule}"`);
    case 'DeliveryIgnored':
      return line('webhook', `ignored: ${event.data.reason}`, 'quiet');
    case 'TaskCreated':
      return line('task', `created, priority ${event.data.priority}`);
    case 'TaskClaimed':
      return line('claim', `claimed by ${names.agent(event.data.agentId)}`);
    case 'TaskProgressReported':
      return line('progress', noteText(event.data.note, event.data.percent), 'quiet');
    case 'GenerationRequested':
      return line('generate', 'the agent starts to write code', 'quiet');
    case 'GenerationAttemptFailed':
      return line('generate', `attempt ${event.data.attempt} failed: ${event.data.failure.reason}`, 'bad');
    case 'GenerationSucceeded':
      return line(
        'generate',
        `commit ${shortId(event.data.commit)}: ${diffStat(event.data.diffStat)} ${seconds(event.data.durationMs)}`,
        'good',
      );
    case 'EvolutionStarted':
      return line(
        'evolve',
        `start: ${metricsText(event.data.baseline)}; ${event.data.plan.direction} ${event.data.plan.metric}`,
      );
    case 'EvolutionGenerationOpened':
      return line(
        'evolve',
        `generation ${event.data.generation}: candidates ${event.data.candidates.join(', ')}`,
        'quiet',
      );
    case 'CandidateEvaluated':
      return line(
        'evolve',
        `candidate ${event.data.candidate}: ${metricsText(event.data.metrics)} ${seconds(event.data.durationMs)}`,
      );
    case 'CandidateFailed':
      return line('evolve', `candidate ${event.data.candidate} failed: ${reasonText(event.data.failure)}`, 'bad');
    case 'EvolutionCompleted': {
      const { best, reason } = event.data;
      const kept = best === null ? 'nothing beats the start' : `keeps ${best.id}: ${metricsText(best.metrics)}`;
      return line('evolve', `${kept} (stopped: ${reason})`, best === null ? 'plain' : 'good');
    }
    case 'ValidationRequested':
      return line('validate', 'the tests run in a clean worktree', 'quiet');
    case 'ValidationPassed':
      return line('validate', `passed${protectedText(event.data.protectedChanges)}`, 'good');
    case 'ValidationFailed':
      return line(
        'validate',
        `failed: ${reasonText(event.data.failure)} → ${event.data.verdict}${protectedText(event.data.protectedChanges)}`,
        'bad',
      );
    case 'TaskApprovalAsked':
      return line('approve', `commit ${shortId(event.data.commit)} waits for an approval: POST /tasks/{id}/approve`);
    case 'TaskPullRequestOpened':
      return line('pull request', `#${event.data.number} is open: ${event.data.url}`);
    case 'TaskSentBack': {
      const context = event.data.words === undefined ? 'the report' : "a person's words";
      return line('task', `sent back to work with ${context} as context`);
    }
    case 'TaskWorkSubmitted':
      return line('task', 'in validation', 'quiet');
    case 'TaskClaimExpired':
      return line('claim', 'the lease ran out: back to the queue', 'bad');
    case 'TaskClaimReleased':
      return line('claim', `released: ${event.data.reason}`);
    case 'TaskRetried':
      return line(
        'task',
        `retried${event.data.from === undefined ? '' : ` from ${event.data.from}`}: ${event.data.reason}`,
      );
    case 'TaskCancelled':
      return line('task', `cancelled: ${event.data.reason}`, 'bad');
    case 'TaskFailed':
      return line(
        'task',
        `failed at ${event.data.failure.step}: ${event.data.failure.reason}`,
        'bad',
        failureLines(event.data.failure),
      );
    case 'TaskCompleted': {
      const { result } = event.data;
      const change = result.diffStat === null ? '' : `, ${diffStat(result.diffStat)}`;
      const merged = result.merged ? ', merged' : '';
      const metrics =
        result.metricsAfter === null
          ? []
          : [`before ${metricsText(result.metricsBefore ?? {})}`, `after  ${metricsText(result.metricsAfter)}`];
      return line(
        'task',
        `complete${merged}${change}, cost ${dollars(result.costUsd)} ${seconds(result.durationMs)}`,
        'good',
        metrics,
      );
    }
    case 'AgentReleased':
      // Of whoever was not the first to take a task nothing need be seen: it never had it.
      return NEVER_HELD.test(event.data.reason) ? null : line('agent', 'freed', 'quiet');
    case 'SagaStepChanged':
      return describeStep(event.data);
    default:
      return describeNotice(event);
  }
}

const NEVER_HELD = /^(?:the task could not be taken: .*|never claimed)$/;

/** What is told of an agent and of the merge queue, where there are such events. */
function describeNotice({ type, data }: { readonly type: string; readonly data: object }): StepLine | null {
  const { until, reason, failure } = data as { until?: unknown; reason?: unknown; failure?: Failure };
  const because = typeof reason === 'string' ? `: ${reason}` : '';
  if (type === 'SagaEffectPostponed')
    return { step: failure?.step ?? 'wait', text: `waits: ${failure?.reason ?? ''}`, tone: 'bad' };
  if (type === 'AgentRested')
    return { step: 'agent', text: `rests${typeof until === 'string' ? ` until ${until}` : ''}${because}`, tone: 'bad' };
  if (type === 'MergeQueued') return { step: 'merge', text: 'waits in the merge queue', tone: 'quiet' };
  if (type === 'MergeTurnBegan') return { step: 'merge', text: 'has its turn in the merge queue', tone: 'quiet' };
  return null;
}

/** How far work is. */
export const noteText = (note: string, percent: number | null): string =>
  `${percent === null ? '' : `${Math.round(percent)} %: `}${note}`;

const protectedText = (paths: readonly string[]): string =>
  paths.length === 0 ? '' : ` (changes to protected paths undone: ${paths.join(', ')})`;

const roundsText = (rebased = 0): string =>
  rebased === 0 ? '' : `, rebased ${rebased === 1 ? 'once' : `${rebased} times`}`;

const shortId = (id: string): string => id.slice(0, 8);

const seconds = (milliseconds: number): string => `(${(milliseconds / 1000).toFixed(1)} s)`;

const dollars = (cost: number | null): string => (cost === null ? 'unknown' : `$${cost.toFixed(2)}`);

const diffStat = ({ files, insertions, deletions }: DiffStat): string =>
  `${files} ${files === 1 ? 'file' : 'files'} +${insertions} −${deletions}`;

const metricsText = (metrics: Metrics): string =>
  Object.entries(metrics)
    .map(([name, value]) => `${name}=${Number.isInteger(value) ? value : value.toPrecision(4)}`)
    .join(' ');

/** What ran, how it ended, its last words, and where the rest is. */
const TELLS_OF_FAILURE = /\b(?:fail|error|assert)/i;

/** Why it failed; of a command that ended badly, which one, and the last line in which it says so. */
const reasonText = ({ reason, command, lastLines }: Failure): string => {
  const said = lastLines.findLast((line) => TELLS_OF_FAILURE.test(line))?.trim() ?? '';
  return [reason, ...(command === null ? [] : [command.join(' ')]), ...(said === '' ? [] : [said])].join(': ');
};

const failureLines = ({ command, exitCode, lastLines, log }: Failure): string[] => [
  ...(command === null ? [] : [`command: ${command.join(' ')} (exit code ${exitCode ?? 'none'})`]),
  ...lastLines.map((line) => `| ${line}`),
  ...(log === null ? [] : [`whole log: artefact ${log.digest}`]),
];

type StepChange = Extract<SagaEvent, { type: 'SagaStepChanged' }>['data'];

const UNDONE: Readonly<Record<string, string>> = { publish: 'branch deleted', prepare: 'worktrees removed' };

/** Steps that no domain event tells of: publication, merging, retries, and the way back. */
function describeStep({ step, state, detail }: StepChange): StepLine | null {
  const { learned, failure, abandoned } = (detail ?? {}) as {
    learned?: {
      branch?: string;
      merged?: boolean;
      rebased?: number;
      feedback?: { reason: string };
      prepared?: { metricsBefore?: Readonly<Record<string, number>> | null };
    };
    failure?: Failure;
    abandoned?: boolean;
  };
  if (step === 'prepare' && state === 'succeeded') {
    const measured = learned?.prepared?.metricsBefore ?? null;
    const text = `repository fetched${measured === null ? '' : `, its base measured: ${metricsText(measured)}`}`;
    return { step, text, tone: 'quiet' };
  }
  if (step === 'publish' && state === 'succeeded')
    return { step, text: `branch ${learned?.branch ?? ''} in the origin`, tone: 'good' };
  if (step === 'merge' && state === 'succeeded')
    return { step, text: `base branch moved to the validated commit${roundsText(learned?.rebased)}`, tone: 'good' };
  if (step === 'merge' && state === 'sent-back')
    return {
      step,
      text: `the base had moved: back to work, ${learned?.feedback?.reason ?? 'from there'}`,
      tone: 'bad',
    };
  if (state === 'waiting') return { step, text: `tries again: ${failure?.reason ?? ''}`, tone: 'bad' };
  if (state === 'compensated' && UNDONE[step] !== undefined)
    return failure === undefined
      ? { step: 'undo', text: `${step}: ${UNDONE[step]}`, tone: 'plain' }
      : { step: 'undo', text: `${step} could not be undone: ${failure.reason}`, tone: 'bad' };
  if (state === 'cancelled' && abandoned !== true) return { step, text: 'stopped', tone: 'bad' };
  return null;
}
