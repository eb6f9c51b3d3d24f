import type { Fold } from '../../define-events.ts';
import { type Candidate, type EvolutionEvent, type EvolutionPlan, MOST_RANKED } from './events.ts';
import type { Metrics } from '../../values.ts';

type OpenGeneration = {
  readonly number: number;
  readonly candidates: readonly string[];
  /** Those that have come in, good or not. */
  readonly done: ReadonlySet<string>;
  readonly improved: boolean;
};

export type EvolutionState = {
  readonly status: 'missing' | 'running' | 'completed' | 'failed' | 'cancelled';
  readonly run: { readonly taskId: string; readonly runId: string };
  readonly base: string;
  readonly baseline: Metrics;
  readonly plan: EvolutionPlan;
  readonly generation: OpenGeneration;
  /** Null while nothing beats the start. */
  readonly best: Candidate | null;
  /** What is better than the start, best first, each commit once. */
  readonly ranking: readonly Candidate[];
  /** Closed generations in a row that brought nothing better. */
  readonly stale: number;
  /** US dollars so far; null while nobody told any. */
  readonly spentUsd: number | null;
};

const noGeneration: OpenGeneration = { number: 0, candidates: [], done: new Set(), improved: false };

const noEvolution: EvolutionState = {
  status: 'missing',
  run: { taskId: '', runId: '' },
  base: '',
  baseline: {},
  plan: {
    metric: '',
    direction: 'minimize',
    candidates: 1,
    generations: 1,
    target: null,
    budgetUsd: null,
    patience: 1,
  },
  generation: noGeneration,
  best: null,
  ranking: [],
  stale: 0,
  spentUsd: null,
};

function evolve(state: EvolutionState, event: EvolutionEvent): EvolutionState {
  switch (event.type) {
    case 'EvolutionStarted': {
      const { taskId, runId, base, baseline, plan } = event.data;
      return { ...noEvolution, status: 'running', run: { taskId, runId }, base, baseline, plan };
    }
    case 'EvolutionGenerationOpened': {
      const { generation: number, candidates } = event.data;
      return { ...state, generation: { ...noGeneration, number, candidates } };
    }
    case 'CandidateEvaluated': {
      const { candidate: id, commit, metrics, costUsd } = event.data;
      const after = done(ranked(state, { id, commit, metrics }), id, costUsd);
      if (!isBetter(state.plan, metrics, state.best?.metrics ?? state.baseline)) return after;
      return { ...after, best: { id, commit, metrics }, generation: { ...after.generation, improved: true } };
    }
    case 'CandidateFailed':
      return done(state, event.data.candidate, event.data.costUsd);
    case 'EvolutionGenerationClosed':
      return { ...state, stale: event.data.improved ? 0 : state.stale + 1 };
    case 'EvolutionCompleted':
      return { ...state, status: 'completed' };
    case 'EvolutionFailed':
      return { ...state, status: 'failed' };
    case 'EvolutionCancelled':
      return { ...state, status: 'cancelled' };
  }
}

/** The best value of the deciding metric so far, the start's included. */
export const bestValue = ({ best, baseline, plan }: EvolutionState): number | undefined =>
  (best?.metrics ?? baseline)[plan.metric];

/** Without the deciding metric a candidate ranks as one that failed. */
function isBetter({ metric, direction }: EvolutionPlan, metrics: Metrics, than: Metrics): boolean {
  const value = metrics[metric];
  const champion = than[metric];
  if (value === undefined) return false;
  if (champion === undefined) return true;
  return direction === 'minimize' ? value < champion : value > champion;
}

/** Puts a candidate that beats the start behind those that are as good. */
function ranked(state: EvolutionState, candidate: Candidate): EvolutionState {
  const { plan, baseline, ranking } = state;
  if (!isBetter(plan, candidate.metrics, baseline)) return state;
  if (ranking.some(({ commit }) => commit === candidate.commit)) return state;
  const worse = ranking.findIndex(({ metrics }) => isBetter(plan, candidate.metrics, metrics));
  const at = worse < 0 ? ranking.length : worse;
  return { ...state, ranking: ranking.toSpliced(at, 0, candidate).slice(0, MOST_RANKED) };
}

const done = (state: EvolutionState, id: string, costUsd: number | null): EvolutionState => ({
  ...state,
  generation: { ...state.generation, done: new Set(state.generation.done).add(id) },
  spentUsd: costUsd === null ? state.spentUsd : (state.spentUsd ?? 0) + costUsd,
});

export const evolutionFold: Fold<EvolutionState, EvolutionEvent> = { type: 'evolution', initial: noEvolution, evolve };
