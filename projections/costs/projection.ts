import type { EvolutionEvent } from '@workledger/shared/contexts/evolution/evolution/events.ts';
import type { GenerationEvent } from '@workledger/shared/contexts/evolution/generation/events.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import type { Migration } from '@workledger/shared/migrations/migrate.ts';
import { costModel, dayOf, type CostRow } from '@workledger/shared/read-models/costs.ts';
import { defineProjection, existing, type Recorded } from '../engine/projection.ts';

const v1: Migration = {
  name: '0031-costs-v1',
  up: async (knex) => {
    await knex.raw(`
      create table read_models.costs_v1 (
        id text primary key,
        kind text not null,
        task_id text not null,
        run_id text not null,
        repository text not null,
        agent_id text,
        cost_usd double precision not null,
        days jsonb not null,
        last_day text,
        last_day_usd double precision not null
      ) with (fillfactor = 80);

      create index costs_v1_task on read_models.costs_v1 (task_id);
      create index costs_v1_run on read_models.costs_v1 (run_id);
      create index costs_v1_day on read_models.costs_v1 (last_day) where last_day is not null;
      create view read_models.costs as select * from read_models.costs_v1;
    `);
  },
};

type Event = Recorded<EvolutionEvent | GenerationEvent>;
type Paid = Extract<Event, { data: { costUsd: number | null } }>;

/** What an attempt or a candidate cost. The end of an evolution tells the sum of what its candidates told. */
const PAID: ReadonlySet<string> = new Set<Paid['type']>([
  'GenerationAttemptFailed',
  'GenerationSucceeded',
  'CandidateEvaluated',
  'CandidateFailed',
]);
const isPaid = (event: Event): event is Paid => PAID.has(event.type);

function foldCost(row: CostRow | undefined, event: Event): CostRow {
  if (event.type === 'GenerationRequested' || event.type === 'EvolutionStarted') return begun(event);
  const before = existing(row, event);
  const usd = isPaid(event) ? event.data.costUsd : null;
  if (usd === null) return before;
  const day = dayOf(event.recordedAt);
  const lastDayUsd = (before.lastDay === day ? before.lastDayUsd : 0) + usd;
  const others = before.days.filter((other) => other.day !== day);
  const days = [...others, { day, costUsd: lastDayUsd }];
  return { ...before, costUsd: before.costUsd + usd, days, lastDay: day, lastDayUsd };
}

const begun = ({
  stream,
  type,
  data,
}: Extract<Event, { type: 'GenerationRequested' | 'EvolutionStarted' }>): CostRow => ({
  id: streamId(stream),
  kind: type === 'GenerationRequested' ? 'generation' : 'evolution',
  taskId: data.taskId,
  runId: data.runId,
  repository: data.repository,
  agentId: 'strategies' in data ? (data.strategies[0] ?? null) : null,
  costUsd: 0,
  days: [],
  lastDay: null,
  lastDayUsd: 0,
});

/** What generations and evolutions cost, a row each: sums of a task, a day or a repository are made as they are asked. */
export const costs = defineProjection<CostRow, Event>(costModel, {
  migrations: [v1],
  key: ({ stream }) => [streamId(stream)],
  fold: foldCost,
});
