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
  /** What evolution started from; null while it has not. */
  readonly start: string | null;
  /** What the tests said of a commit on a base, by `judgementOf`: asked once in a run. */
  readonly judged: Readonly<Record<string, ResultOf<'code.validate'>>>;
  /** What `code.evaluate` said, likewise. */
  readonly measured: Readonly<Record<string, ResultOf<'code.evaluate'>>>;
  /** Judgements and measurements that were asked for and have no result, by the key of their effect. */
  readonly asked: Readonly<Record<string, string>>;
  /** The first commit of each tree that an agent left. */
  readonly trees: Readonly<Record<string, string>>;
  /** Candidates of the newest generation that evolution was told about. */
  readonly recorded: Readonly<Record<string, true>>;
  /** Of evolution's ranking or the start: what the run goes on with; null before evolution's end, and again when work went back. */
  readonly chosen: string | null;
  /** What was taken from the ranking, or the start, and refused later. */
  readonly refused: readonly string[];
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
  start: null,
  judged: {},
  measured: {},
  asked: {},
  trees: {},
  recorded: {},
  chosen: null,
  refused: [],
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
    case 'SagaEffectRequested': {
      const { effect } = event.data;
      return { ...absorbRequest(facts, effect), judging: judgingOf(effect) ?? facts.judging };
    }
    case 'SagaEffectSucceeded': {
      const { key, result } = event.data;
      const after = absorbResult(facts, key, result);
      const bad = failureIn(result);
      const learned =
        bad === null ? { ...after, ...(GENERATED.test(key) ? { lastFailure: null } : {}) } : failing(after, key, bad);
      return {
        ...learned,
        costUsd: plusCost(facts.costUsd, result),
        merged: facts.merged || isMerged(key, result),
        told: plusTold(facts.told, key),
      };
    }
    case 'SagaEffectFailed': {
      const { key, fault, failure } = event.data;
      const after = answered(facts, key);
      // What was recorded before faults were told is taken for the work's: an agent is rather told too much.
      const learned = (fault ?? 'work') === 'work' ? failing(after, key, failure) : after;
      return { ...learned, costUsd: plusCost(facts.costUsd, event.data) };
    }
    case 'SagaEffectCancelled':
      return answered(facts, event.data.key);
    default:
      return facts;
  }
}

/** Names a commit on a base, for what is asked about both. */
export const judgementOf = ({ commit, base }: { readonly commit: string; readonly base: string }): string =>
  `${commit}@${base}`;

type Requested = Extract<SagaEvent, { type: 'SagaEffectRequested' }>['data']['effect'];

function absorbRequest(facts: Facts, effect: Requested): Facts {
  if (effect.kind === 'command' && /\/record-[\d.]+$/.test(effect.key)) {
    const { candidate } = effect.data as { candidate: string };
    return { ...facts, recorded: { ...facts.recorded, [candidate]: true } };
  }
  if (effect.kind !== 'call') return facts;
  const { component, key } = effect;
  if (component === 'code.work') return { ...facts, asked: { ...facts.asked, [key]: 'work' } };
  if (component !== 'code.validate' && component !== 'code.evaluate') return facts;
  const { commit, base } = effect.request as { commit: string; base?: string };
  if (base === undefined) return facts;
  return { ...facts, asked: { ...facts.asked, [key]: `${component} ${judgementOf({ commit, base })}` } };
}

function absorbResult(facts: Facts, key: string, result: unknown): Facts {
  const after = answered(facts, key);
  const [component, about = ''] = facts.asked[key]?.split(' ') ?? [];
  if (component === 'code.evaluate')
    return { ...after, measured: { ...facts.measured, [about]: result as ResultOf<'code.evaluate'> } };
  if (component === 'code.validate') {
    const judgement = result as ResultOf<'code.validate'>;
    const base = about.slice(about.indexOf('@') + 1);
    // With the protected paths restored it is another commit, and what was tested.
    const restored = judgementOf({ commit: judgement.commit, base });
    return { ...after, judged: { ...facts.judged, [restored]: judgement, [about]: judgement } };
  }
  const { tree, commit } = (component === 'work' ? result : {}) as Partial<ResultOf<'code.work'>>;
  if (tree === undefined || commit === undefined || facts.trees[tree] !== undefined) return after;
  return { ...after, trees: { ...facts.trees, [tree]: commit } };
}

function answered(facts: Facts, key: string): Facts {
  if (facts.asked[key] === undefined) return facts;
  const { [key]: _, ...asked } = facts.asked;
  return { ...facts, asked };
}

const GENERATED = /^generate\/\d+\/\d+\/work$/;
const OF_CANDIDATES = /^evolve\/\d+\/\d+\/(?!baseline|judge-start|compare)/;
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
      return { ...facts, opened: [...facts.opened, input.data], recorded: {} };
    case 'EvolutionStarted':
      return { ...facts, metrics: input.data.baseline, start: input.data.base };
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
