import type { EvolutionEvent, EvolutionPlan } from '@workledger/shared/contexts/evolution/evolution/events.ts';
import type { MergeQueueEvent } from '@workledger/shared/contexts/evolution/merge-queue/events.ts';
import type { ValidationEvent } from '@workledger/shared/contexts/evolution/validation/events.ts';
import type { SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import type { ApprovalChoice, QuestionEvent } from '@workledger/shared/contexts/task/question/events.ts';
import type { TaskEvent } from '@workledger/shared/contexts/task/task/events.ts';
import type { Failure } from '@workledger/shared/contexts/values.ts';
import type { ResultOf } from '../components/catalogue.ts';
import { inputOf } from '../engine/saga.ts';
import {
  type Facts,
  failureIn,
  type HeadChoice,
  isOfWork,
  judgementOf,
  type Learned,
  MOST_SENT_BACK,
} from './facts.ts';

/** Folds inputs, step details, judgements and costs: what belongs to no single step. */
export function absorb(facts: Facts, event: SagaEvent): Facts {
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
    case 'SagaEffectRequested':
      return absorbRequest(facts, event.data.effect);
    case 'SagaEffectSucceeded': {
      const { key, result } = event.data;
      const bad = failureIn(result);
      const after = absorbResult(facts, key, result);
      return { ...(bad === null ? after : failing(after, key, bad)), costUsd: plusCost(facts.costUsd, result) };
    }
    case 'SagaEffectFailed': {
      const { key, failure } = event.data;
      const after = answered(facts, key);
      const learned = isOfWork(event.data) ? failing(after, key, failure) : after;
      return { ...learned, costUsd: plusCost(facts.costUsd, event.data) };
    }
    case 'SagaEffectCancelled':
      return answered(facts, event.data.key);
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
  if (WRITES.has(component)) return { ...facts, asked: { ...facts.asked, [key]: 'work' } };
  if (component !== 'code.validate' && component !== 'code.evaluate') return facts;
  const { commit, base } = effect.request as { commit: string; base?: string };
  if (base === undefined) return facts;
  return { ...facts, asked: { ...facts.asked, [key]: `${component} ${judgementOf({ commit, base })}` } };
}

const WRITES: ReadonlySet<string> = new Set(['code.work', 'evolution.openevolve', 'generation.chat', 'code.adopt']);

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

const OF_CANDIDATES = /^evolve\/\d+\/\d+\/(?!baseline|judge-start|compare)/;
/** A prompt has its limit; what failed last says most. */
const KEPT_FAILURES = 5;

/** Learns what candidates did not do, so that the next ones are told. */
function failing(facts: Facts, key: string, reason: Failure): Facts {
  if (!OF_CANDIDATES.test(key)) return facts;
  return { ...facts, failedCandidates: [...facts.failedCandidates, reason].slice(-KEPT_FAILURES) };
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

const endingOf = ({ state, detail }: Extract<SagaEvent, { type: 'SagaStepChanged' }>['data']): string | null =>
  state === 'failed' || state === 'cancelled' ? ((detail as { failure?: Failure }).failure?.reason ?? null) : null;

function plusCost(sum: number | null, result: unknown): number | null {
  const cost = (result as { costUsd?: unknown } | null)?.costUsd;
  return typeof cost === 'number' ? (sum ?? 0) + cost : sum;
}
