import type { EvolutionEvent } from '@workledger/shared/contexts/evolution/evolution/events.ts';
import type { MergeQueueEvent } from '@workledger/shared/contexts/evolution/merge-queue/events.ts';
import type { Effect, SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import type { TaskEvent } from '@workledger/shared/contexts/task/task/events.ts';
import type { ValidationEvent } from '@workledger/shared/contexts/evolution/validation/events.ts';
import { type ArtefactReference, type Failure, failure } from '@workledger/shared/contexts/values.ts';
import type { ResultOf } from '../components/catalogue.ts';
import { inputOf } from '../engine/saga.ts';

export type Claim = Extract<TaskEvent, { type: 'TaskClaimed' }>['data'] & { readonly taskId: string };
type Opened = Extract<EvolutionEvent, { type: 'EvolutionGenerationOpened' }>['data'];
type Completed = Extract<EvolutionEvent, { type: 'EvolutionCompleted' }>['data'];

/** Why work goes back, and what the next attempt should read. */
export type Feedback = {
  readonly reason: string;
  readonly log: ArtefactReference | null;
  /** What went wrong, whole; missing in what was recorded before it was kept. */
  readonly failure?: Failure;
};

/** What the steps of one run know, folded from what happened. */
export type Facts = {
  readonly claim: Claim | null;
  /** When the first step began. */
  readonly beganAt: string | null;
  readonly stopped: string | null;
  readonly prepared: (ResultOf<'code.prepare'> & { readonly metricsBefore: ResultOf<'code.work'>['metrics'] }) | null;
  /** Where the branch starts from now: moves when the work is rebased. */
  readonly base: string | null;
  /** The newest state of the work. */
  readonly commit: string | null;
  /** Of the candidate that the next generation starts from. */
  readonly metrics: ResultOf<'code.work'>['metrics'];
  /** What agents cost so far, in US dollars; null while none told. */
  readonly costUsd: number | null;
  readonly submissions: readonly { readonly commit: string | null }[];
  readonly opened: readonly Opened[];
  readonly evolved: Completed | null;
  readonly evolutionFailure: Failure | null;
  /** Verdicts by validation id. */
  readonly verdicts: Readonly<Record<string, 'passed' | 'back-to-work' | 'failed'>>;
  /** Attempts of `generate` that its generation was told of, as `<round>/<attempt>`. */
  readonly told: readonly string[];
  readonly feedback: Feedback | null;
  /** Why the last attempt of the agent did not do; null once one did. */
  readonly lastFailure: Failure | null;
  /** Why candidates did not count, newest last: what the next ones are told. */
  readonly failedCandidates: readonly Failure[];
  readonly sentBack: number;
  readonly rebased: number;
  /** How often work that had passed went back because of what was merged meanwhile. */
  readonly overtaken: number;
  /** It has the turn to merge. */
  readonly turn: boolean;
  /** How often a person took its place in the merge queue. */
  readonly released: number;
  /** The validation under its turn that was asked for last. */
  readonly judging: string | null;
  readonly branch: string | null;
  readonly merged: boolean;
};

export const noFacts: Facts = {
  claim: null,
  beganAt: null,
  stopped: null,
  prepared: null,
  base: null,
  commit: null,
  metrics: null,
  costUsd: null,
  submissions: [],
  opened: [],
  evolved: null,
  evolutionFailure: null,
  verdicts: {},
  told: [],
  feedback: null,
  lastFailure: null,
  failedCandidates: [],
  sentBack: 0,
  rebased: 0,
  overtaken: 0,
  turn: false,
  released: 0,
  judging: null,
  branch: null,
  merged: false,
};

/** How often work may go back within one run. */
export const MOST_SENT_BACK = 1;

/** Detail of a step that tells the facts it changes. */
export type Learned = { readonly learned?: Partial<Facts> };

/** Folds inputs, step details and the cost of what agents did. */
export function absorb(facts: Facts, event: SagaEvent): Facts {
  switch (event.type) {
    case 'SagaInputReceived':
      return absorbInput(facts, event.data.source.stream, inputOf<Input>(event));
    case 'SagaStepChanged': {
      const { learned, at } = event.data.detail as Learned & { at?: string };
      return { ...facts, beganAt: facts.beganAt ?? at ?? null, ...learned };
    }
    case 'SagaEffectRequested':
      return { ...facts, judging: judgingOf(event.data.effect) ?? facts.judging };
    case 'SagaEffectSucceeded': {
      const { key, result } = event.data;
      const told = failureIn(result);
      const learned =
        told === null ? { ...facts, ...(GENERATED.test(key) ? { lastFailure: null } : {}) } : failing(facts, key, told);
      return {
        ...learned,
        costUsd: plusCost(facts.costUsd, result),
        merged: facts.merged || isMerged(key, result),
        told: plusTold(facts.told, key),
      };
    }
    case 'SagaEffectFailed': {
      const { key, fault } = event.data;
      // What was recorded before faults were told is taken for the work's: an agent is rather told too much.
      const learned = (fault ?? 'work') === 'work' ? failing(facts, key, event.data.failure) : facts;
      return { ...learned, costUsd: plusCost(facts.costUsd, event.data) };
    }
    default:
      return facts;
  }
}

const GENERATED = /^generate\/\d+\/\d+\/work$/;
const OF_CANDIDATES = /^evolve\/\d+\/\d+\/(?!baseline)/;
/** A prompt has its limit; what failed last says most. */
const KEPT_FAILURES = 5;

/** Learns what did not do, so that the next attempt is told. */
function failing(facts: Facts, key: string, reason: Failure): Facts {
  if (GENERATED.test(key)) return { ...facts, lastFailure: reason };
  if (!OF_CANDIDATES.test(key)) return facts;
  return { ...facts, failedCandidates: [...facts.failedCandidates, reason].slice(-KEPT_FAILURES) };
}

/** Of a result that is a verdict. */
function failureIn(result: unknown): Failure | null {
  const read = failure.safeParse((result as { failure?: unknown } | null)?.failure);
  return read.success ? read.data : null;
}

type Input = TaskEvent | EvolutionEvent | ValidationEvent | MergeQueueEvent;

function absorbInput(facts: Facts, stream: string, input: Input): Facts {
  const id = streamId(stream);
  switch (input.type) {
    case 'TaskClaimed': {
      const claim = { ...input.data, taskId: id };
      const { from, commit = null, base = null } = claim;
      // No agent works under it whom the work could go back to.
      return from === undefined ? { ...facts, claim } : { ...facts, claim, commit, base, sentBack: MOST_SENT_BACK };
    }
    case 'TaskClaimReleased':
    case 'TaskClaimExpired':
      return { ...facts, stopped: input.type === 'TaskClaimExpired' ? 'the lease ran out' : input.data.reason };
    case 'TaskCancelled':
      return { ...facts, stopped: input.data.reason };
    case 'TaskWorkSubmitted':
      return { ...facts, submissions: [...facts.submissions, { commit: input.data.commit }] };
    case 'EvolutionGenerationOpened':
      return { ...facts, opened: [...facts.opened, input.data] };
    case 'EvolutionStarted':
      return { ...facts, metrics: input.data.baseline };
    case 'EvolutionGenerationClosed':
      return { ...facts, metrics: input.data.best?.metrics ?? facts.metrics };
    case 'EvolutionCompleted':
      return { ...facts, evolved: input.data };
    case 'EvolutionFailed':
      return { ...facts, evolutionFailure: input.data.failure };
    case 'ValidationPassed':
      return { ...facts, verdicts: { ...facts.verdicts, [id]: 'passed' } };
    case 'ValidationFailed':
      return { ...facts, verdicts: { ...facts.verdicts, [id]: input.data.verdict } };
    case 'MergeTurnBegan':
      return { ...facts, turn: true };
    case 'MergeTurnEnded':
      // What it ended by itself, its step knows.
      return input.data.outcome === 'released' ? { ...facts, turn: false, released: facts.released + 1 } : facts;
    default:
      return facts;
  }
}

function plusTold(told: Facts['told'], key: string): Facts['told'] {
  const attempt = /^generate\/(\d+\/\d+)\/note$/.exec(key)?.[1];
  return attempt === undefined ? told : [...told, attempt];
}

/** From the moment that the base branch has the work: what else is asked of the task comes too late. */
const isMerged = (key: string, result: unknown): boolean =>
  /^merge\/\d+\/\d+\/merge(-\d+)?$/.test(key) && (result as { outcome?: unknown } | null)?.outcome === 'merged';

const judgingOf = (effect: Effect): string | null =>
  effect.kind === 'command' && effect.type === 'validation.request' && effect.key.startsWith('merge/')
    ? effect.target
    : null;

function plusCost(sum: number | null, result: unknown): number | null {
  const cost = (result as { costUsd?: unknown } | null)?.costUsd;
  return typeof cost === 'number' ? (sum ?? 0) + cost : sum;
}
