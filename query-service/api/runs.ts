import { z } from 'zod';
import type { Route } from '@workledger/shared/http/route.ts';
import {
  evolutionModel,
  evolutionRow,
  type EvolutionRow,
} from '@workledger/shared/contexts/evolution/evolution/row.ts';
import {
  generationModel,
  generationRow,
  type GenerationRow,
} from '@workledger/shared/contexts/evolution/generation/row.ts';
import {
  mergePlaceModel,
  mergePlaceRow,
  type MergePlaceRow,
} from '@workledger/shared/contexts/evolution/merge-queue/row.ts';
import { pipelineModel, pipelineRow, type PipelineRow } from '@workledger/shared/contexts/saga/row.ts';
import {
  validationModel,
  validationRow,
  type ValidationRow,
} from '@workledger/shared/contexts/evolution/validation/row.ts';
import type { ReadModel, ReadModelRow } from '@workledger/shared/contexts/define-row.ts';
import {
  type QueryOptions,
  anyId,
  byId,
  several,
  many,
  one,
  queryRoute,
  readRow,
  READERS,
} from '../reading/query-route.ts';
import { demandWithin, onlyWithin, scopeOf } from '../reading/scope.ts';
import type { Settle } from '../reading/consistency.ts';
import { pageOf, pageParameters, readPage, type ListDefinition, type Sort } from '../reading/page.ts';
import { withLinks, withLinksSchema } from '../reading/with-links.ts';

/** /pipelines, /generations, /evolutions, /validations, /merge-queues: what was done for a task. */
export const allRunRoutes = (options: QueryOptions, settle: Settle): readonly Route[] => [
  ...runRoutes<PipelineRow>(options, settle, {
    model: pipelineModel,
    resource: 'pipelines',
    noun: 'pipeline',
    states: pipelineRow.shape.state.options,
    began: 'startedAt',
    without: ['steps', 'effects'],
    about: 'The run with its steps; of each attempt prompt, output, diff (by link), exit code, cost and failure.',
  }),
  ...runRoutes<GenerationRow>(options, settle, {
    model: generationModel,
    resource: 'generations',
    noun: 'generation',
    states: generationRow.shape.state.options,
    began: 'requestedAt',
    without: ['attempts'],
    about: 'The generation with its attempts.',
  }),
  ...runRoutes<EvolutionRow>(options, settle, {
    model: evolutionModel,
    resource: 'evolutions',
    noun: 'evolution',
    states: evolutionRow.shape.state.options,
    began: 'startedAt',
    without: ['generations'],
    about: 'The evolution with its generations and their candidates.',
  }),
  ...runRoutes<ValidationRow>(options, settle, {
    model: validationModel,
    resource: 'validations',
    noun: 'validation',
    states: validationRow.shape.state.options,
    began: 'requestedAt',
    without: [],
    about: 'The validation with its report.',
  }),
  ...runRoutes<MergePlaceRow>(options, settle, {
    model: mergePlaceModel,
    resource: 'merge-queues',
    noun: 'place in a merge queue',
    states: mergePlaceRow.shape.state.options,
    began: 'queuedAt',
    without: [],
    about:
      'The place of a run in the merge queue of its repository and base branch. `GET /parked` says whether the run stands still.',
  }),
];

type RunRow = ReadModelRow & { readonly revision: number; readonly taskId: string | null; readonly state: string };

type RunResource<Row extends RunRow> = {
  readonly model: ReadModel<Row>;
  /** In the path, plural. */
  readonly resource: string;
  readonly noun: string;
  readonly states: readonly Row['state'][];
  /** When it began. */
  readonly began: keyof Row & string;
  /** Too large for a list. */
  readonly without: readonly (keyof Row & string)[];
  readonly about: string;
};

/** The two routes of something that was done for a task: a list, newest first, and the thing itself with all its parts. */
function runRoutes<Row extends RunRow>(
  { pool }: QueryOptions,
  settle: Settle,
  { model, resource, noun, states, began, without, about }: RunResource<Row>,
): readonly Route[] {
  const sorts: Record<string, Sort<Row>> = { started: { column: began, type: 'timestamptz' } };
  const list: ListDefinition<Row> = { model, without, sorts };
  const parts = Object.fromEntries(without.map((name) => [name, true])) as Record<never, true>;
  const listed = model.schema.omit(parts);
  return [
    queryRoute(settle, {
      path: `/${resource}`,
      role: READERS,
      scoped: true,
      summary: `List ${resource}`,
      answer: `A page of ${resource}, without their parts.`,
      schema: pageOf(withLinksSchema(listed)),
      models: [model],
      query: {
        taskId: anyId.optional(),
        state: several(z.enum(states)).optional(),
        ...pageParameters(sorts, '-started'),
      },
      handler: async ({ query: asked, principal }) =>
        many(
          withLinks(
            await readPage(pool, list, asked, (query) => {
              onlyWithin(query, scopeOf({ principal }), 't.task_id');
              if (asked.taskId !== undefined) query.where('t.task_id', asked.taskId);
              if (asked.state !== undefined) query.whereIn('t.state', asked.state);
            }),
          ),
        ),
    }),
    queryRoute(settle, {
      path: `/${resource}/{id}`,
      role: READERS,
      scoped: true,
      summary: `One of the ${resource}`,
      answer: about,
      schema: withLinksSchema(model.schema),
      params: byId,
      problems: ['not-found'],
      models: [model],
      handler: async ({ params, principal }) => {
        const row = await readRow(pool, model, params.id, noun);
        await demandWithin(pool, scopeOf({ principal }), row.taskId, { noun, id: params.id });
        return one({ ...(withLinks(row) as Row) });
      },
    }),
  ];
}
