import type { EvolutionEvent } from '@workledger/shared/contexts/evolution/evolution/events.ts';
import {
  type CandidateView,
  type EvolutionGenerationView,
  evolutionModel,
  type EvolutionRow,
} from '@workledger/shared/contexts/evolution/evolution/row.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import { addCost, defineProjection, existing, type Recorded } from '../engine/projection.ts';
import { evolutionsMigrations } from './migration.ts';

type Started = Extract<Recorded<EvolutionEvent>, { type: 'EvolutionStarted' }>;
type Later = Exclude<EvolutionEvent, { type: 'EvolutionStarted' }>;

/** The evolution after the event. */
function foldEvolution(row: EvolutionRow | undefined, event: Recorded<EvolutionEvent>): EvolutionRow {
  const at = event.recordedAt.toISOString();
  if (event.type === 'EvolutionStarted') return started(event, at);
  const before = existing(row, event);
  return { ...before, ...changes(before, event, at), revision: event.revision, updatedAt: at };
}

function changes(row: EvolutionRow, event: Later, at: string): Partial<EvolutionRow> {
  switch (event.type) {
    case 'EvolutionGenerationOpened': {
      const { generation, parent, candidates } = event.data;
      const opened = { generation, parent, candidates: candidates.map(running), best: null, improved: null };
      return { generations: [...row.generations, { ...opened, openedAt: at, closedAt: null }] };
    }
    case 'CandidateEvaluated': {
      const { generation, candidate, commit, metrics, diffStat, diff, output, costUsd, durationMs } = event.data;
      const result = { commit, metrics, diffStat, diff, output, costUsd, durationMs };
      return {
        generations: withCandidate(row, generation, candidate, { ...result, state: 'evaluated', endedAt: at }),
        costUsd: addCost(row.costUsd, costUsd),
      };
    }
    case 'CandidateFailed': {
      const { generation, candidate, failure, costUsd } = event.data;
      return {
        generations: withCandidate(row, generation, candidate, { state: 'failed', failure, costUsd, endedAt: at }),
        costUsd: addCost(row.costUsd, costUsd),
      };
    }
    case 'EvolutionGenerationClosed': {
      const { generation, best, improved } = event.data;
      return { best, generations: withGeneration(row, generation, { best, improved, closedAt: at }) };
    }
    case 'EvolutionCompleted': {
      const { reason, best, ranking = null, commit, costUsd } = event.data;
      return { state: 'completed', reason, best, ranking, commit, costUsd, endedAt: at };
    }
    case 'EvolutionFailed':
      return { state: 'failed', failure: event.data.failure, reason: event.data.failure.reason, endedAt: at };
    case 'EvolutionCancelled':
      return { state: 'cancelled', reason: event.data.reason, endedAt: at };
  }
}

const withGeneration = (
  { generations }: EvolutionRow,
  generation: number,
  change: Partial<EvolutionGenerationView>,
): EvolutionGenerationView[] =>
  generations.map((view) => (view.generation === generation ? { ...view, ...change } : view));

const withCandidate = (
  row: EvolutionRow,
  generation: number,
  candidate: string,
  change: Partial<CandidateView>,
): EvolutionGenerationView[] =>
  row.generations.map((view) =>
    view.generation === generation
      ? { ...view, candidates: view.candidates.map((one) => (one.id === candidate ? { ...one, ...change } : one)) }
      : view,
  );

const running = (id: string): CandidateView => ({
  id,
  state: 'running',
  commit: null,
  metrics: null,
  diffStat: null,
  diff: null,
  output: null,
  costUsd: null,
  durationMs: null,
  failure: null,
  endedAt: null,
});

const started = ({ stream, revision, data }: Started, at: string): EvolutionRow => ({
  id: streamId(stream),
  revision,
  ...data,
  state: 'running',
  generations: [],
  best: null,
  ranking: null,
  commit: null,
  reason: null,
  failure: null,
  costUsd: null,
  startedAt: at,
  updatedAt: at,
  endedAt: null,
});

export const evolutions = defineProjection<EvolutionRow, Recorded<EvolutionEvent>>(evolutionModel, {
  migrations: evolutionsMigrations,
  key: ({ stream }) => [streamId(stream)],
  fold: foldEvolution,
});
