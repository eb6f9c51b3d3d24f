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
import { pipelineModel, pipelineRow, type PipelineRow } from '@workledger/shared/contexts/saga/row.ts';
import {
  validationModel,
  validationRow,
  type ValidationRow,
} from '@workledger/shared/contexts/evolution/validation/row.ts';
import type { QueryOptions } from '../options.ts';
import type { Settle } from '../reading/consistency.ts';
import { runRoutes } from './run-routes.ts';

/** /pipelines, /generations, /evolutions, /validations: what was done for a task. */
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
];
