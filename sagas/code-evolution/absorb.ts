import type { EvolutionEvent, EvolutionPlan } from '@workledger/shared/contexts/evolution/evolution/events.ts';
import type { MergeQueueEvent } from '@workledger/shared/contexts/evolution/merge-queue/events.ts';
import type { ValidationEvent } from '@workledger/shared/contexts/evolution/validation/events.ts';
import type { Effect, SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import type { ApprovalChoice, QuestionEvent } from '@workledger/shared/contexts/task/question/events.ts';
import type { TaskEvent } from '@workledger/shared/contexts/task/task/events.ts';
import { type Failure, failure } from '@workledger/shared/contexts/values.ts';
import type { RequestOf, ResultOf } from '../components/catalogue.ts';
import { inputOf } from '../engine/saga.ts';
import { absorbWriters } from './absorb-writers.ts';
import { type Facts, type HeadChoice, judgementOf, type Learned, MOST_SENT_BACK } from './facts.ts';

/** Folds inputs, step details and the cost of what agents did. */
export const absorb = (facts: Facts, event: SagaEvent): Facts => absorbWriters(absorbRun(facts, event), event);

function absorbRun(facts: Facts, event: SagaEvent): Facts {
  switch (event.type) {
    case 'SagaInputReceived':
      return absorbInput(facts, event.data.source.stream, inputOf<Input>(event));
    case 'SagaStepChanged': {
      const { learned, at } = event.data.detail as Learned & { at?: string };
      return {
        ...facts,
        beganAt: facts.beganAt ?? at ?? null,
        ending: endingOf(event.data) ?? facts.ending,
        ...learned,
      };
    }
    case 'SagaEffectRequested': {
      const { effect } = event.data;
      return { ...afterLook(absorbRequest(facts, effect), effect.key), judging: judgingOf(effect) ?? facts.judging };
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
      const { key, fault, failure, retryable } = event.data;
      const isTold = MERGE.test(key) && !retryable && facts.merging?.isStopped !== true;
      const after = { ...answered(facts, key), ...(isTold && { merging: null }) };
      // What was recorded before faults were told is taken for the work's: an agent is rather told too much.
      const learned = (fault ?? 'work') === 'work' ? failing(after, key, failure) : after;
      return { ...learned, costUsd: plusCost(facts.costUsd, event.data) };
    }
    case 'SagaEffectCancelled': {
      const after = answered(facts, event.data.key);
      return MERGE.test(event.data.key) && after.merging !== null
        ? { ...after, merging: { ...after.merging, isStopped: true } }
        : after;
    }
    default:
      return facts;
  }
}

type Requested = Extract<SagaEvent, { type: 'SagaEffectRequested' }>['data']['effect'];

function absorbRequest(facts: Facts, effect: Requested): Facts {
  if (effect.kind === 'command' && effect.type === 'question.ask-approval') return { ...facts, asking: effect.target };
  if (effect.kind === 'command' && effect.type === 'question.ask-choice') {
    const { commit } = effect.data as { commit: string };
    return { ...facts, stuck: { questionId: effect.target, commit } };
  }
  if (effect.kind === 'command' && /\/record-[\d.]+$/.test(effect.key)) {
    const { candidate } = effect.data as { candidate: string };
    return { ...facts, recorded: { ...facts.recorded, [candidate]: true } };
  }
  if (effect.kind !== 'call') return facts;
  const { component, key } = effect;
  const [, place, look = '1'] = MOVING.exec(key) ?? [];
  if (place !== undefined) return { ...facts, moving: `${place}/${look}` };
  if (MERGE.test(key)) {
    const { commit, base } = effect.request as RequestOf<'code.merge'>;
    return { ...facts, merging: { commit, base, isStopped: false } };
  }
  if (WRITES.has(component)) return { ...facts, asked: { ...facts.asked, [key]: 'work' } };
  if (component !== 'code.validate' && component !== 'code.evaluate') return facts;
  const { commit, base } = effect.request as { commit: string; base?: string };
  if (base === undefined) return facts;
  return { ...facts, asked: { ...facts.asked, [key]: `${component} ${judgementOf({ commit, base })}` } };
}

const WRITES: ReadonlySet<string> = new Set(['code.work', 'evolution.openevolve', 'generation.chat', 'code.adopt']);

const LOOK = /^await-merge\/(\d+\/\d+)\/look-(\d+)$/;

/** What a run does beside its looks, each named by the look that it follows from. */
const MOVING = /^await-merge\/(\d+\/\d+)\/rebase(?:-(\d+))?$/;
const WHILE_WAITING = /^await-merge\/\d+\/\d+\/(enter|leave|withdraw|checks|turn)(?:-\d+)?$/;

const MERGE = /^merge\/\d+\/\d+\/merge(-\d+)?$/;
/** What is looked for on the way back: whether it was merged all the same. */
const MERGE_LOOK = /^undo\/merge\/\d+\/look$/;
const CLOSE = /^undo\/open-pull-request\/\d+\/close$/;

function ofMerge(facts: Facts, key: string, result: unknown): Facts {
  if (CLOSE.test(key)) {
    const { outcome, mergeCommit = null } = result as ResultOf<'github.close'>;
    return outcome === 'merged' ? { ...facts, landed: mergeCommit } : facts;
  }
  if (!MERGE.test(key) && !MERGE_LOOK.test(key)) return facts;
  const { outcome, commit, base } = result as ResultOf<'code.merge'>;
  return { ...facts, merging: null, landing: outcome === 'merged' ? { commit, base } : null };
}

/** What is asked for now sees whatever was told before. */
function afterLook(facts: Facts, key: string): Facts {
  const [, place, number] = LOOK.exec(key) ?? [];
  return place === undefined ? facts : { ...facts, looks: { place, number: Number(number) }, news: false };
}

/** By whichever step the branch was moved. */
const PUBLISHED = /\/publish(-judged|-\d+)?$/;

function ofPull(facts: Facts, key: string, result: unknown): Facts {
  if (PUBLISHED.test(key)) return { ...facts, change: (result as ResultOf<'code.publish'>).change };
  if (LOOK.test(key)) {
    const { state, checks } = result as ResultOf<'github.look'>;
    return { ...facts, seen: state, checked: facts.checked || !['none', undefined].includes(checks?.state) };
  }
  const [, what] = WHILE_WAITING.exec(key) ?? [];
  if (what === 'enter') return { ...facts, queued: true };
  if (what === 'leave') return { ...facts, queued: false, turn: false };
  if (what === 'withdraw') return { ...facts, stuck: null };
  // It was looked at before this time was over.
  if (what === 'checks' || what === 'turn') return { ...facts, news: true };
  if (!/^open-pull-request\/\d+\/\d+\/open$/.test(key)) return facts;
  const { number, url } = result as ResultOf<'github.pull-request'>;
  return { ...facts, pull: { number, url } };
}

function absorbResult(before: Facts, key: string, result: unknown): Facts {
  const facts = ofMerge(ofPull(before, key, result), key, result);
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

type Input = TaskEvent | EvolutionEvent | ValidationEvent | MergeQueueEvent | QuestionEvent;

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
      return { ...facts, metrics: input.data.baseline, start: input.data.base, engine: engineOf(input.data.plan) };
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
    case 'QuestionAnswered':
      // A run asks for nothing but approvals, and how a head goes on.
      return { ...facts, answers: { ...facts.answers, [id]: input.data.choice as ApprovalChoice | HeadChoice } };
    case 'TaskPullRequestNoticed':
      return { ...facts, news: true };
    case 'MergeTurnBegan':
      return { ...facts, turn: true, news: true };
    case 'MergeTurnEnded':
      // What it ended by itself, its step knows.
      return input.data.outcome === 'released'
        ? { ...facts, turn: false, queued: false, released: facts.released + 1 }
        : facts;
    default:
      return facts;
  }
}

/** Evolutions of before do not tell a plan to whoever reads them. */
const engineOf = (plan: EvolutionPlan | undefined): Facts['engine'] =>
  plan?.openevolve === undefined ? null : { openevolve: plan.openevolve, budgetUsd: plan.budgetUsd };

function plusTold(told: Facts['told'], key: string): Facts['told'] {
  const attempt = /^generate\/(\d+\/\d+)\/note$/.exec(key)?.[1];
  return attempt === undefined ? told : [...told, attempt];
}

/** From the moment that the base branch has the work: what else is asked of the task comes too late. */
const isMerged = (key: string, result: unknown): boolean =>
  ([/^await-merge\/\d+\/\d+\/merge(-\d+)?$/, MERGE, MERGE_LOOK, CLOSE].some((each) => each.test(key)) &&
    (result as { outcome?: unknown } | null)?.outcome === 'merged') ||
  (LOOK.test(key) && (result as { state?: unknown } | null)?.state === 'merged');

const endingOf = ({ state, detail }: Extract<SagaEvent, { type: 'SagaStepChanged' }>['data']): string | null =>
  state === 'failed' || state === 'cancelled' ? ((detail as { failure?: Failure }).failure?.reason ?? null) : null;

const judgingOf = (effect: Effect): string | null =>
  effect.kind === 'command' && effect.type === 'validation.request' && /^(await-)?merge\//.test(effect.key)
    ? effect.target
    : null;

function plusCost(sum: number | null, result: unknown): number | null {
  const cost = (result as { costUsd?: unknown } | null)?.costUsd;
  return typeof cost === 'number' ? (sum ?? 0) + cost : sum;
}
