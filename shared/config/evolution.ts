import { evolutionPlan, openEvolvePlan } from '../contexts/evolution/evolution/events.ts';

const { shape } = evolutionPlan;

/** How a repository's work is improved, as the configuration says it. */
export const evolutionSchema = evolutionPlan.extend({
  candidates: shape.candidates.default(2),
  generations: shape.generations.default(3),
  target: shape.target.default(null),
  budgetUsd: shape.budgetUsd.default(null),
  patience: shape.patience.default(1),
  measurements: shape.measurements.unwrap().default(3),
  openevolve: openEvolvePlan
    .extend({
      file: openEvolvePlan.shape.file.describe('the file that evolves, by its path in the repository'),
      model: openEvolvePlan.shape.model.describe('one of "models": it is asked for each iteration'),
      iterations: openEvolvePlan.shape.iterations.default(30),
      checkpointEvery: openEvolvePlan.shape.checkpointEvery
        .default(2)
        .describe('iterations between two checkpoints: what is done again after a kill'),
      parallel: openEvolvePlan.shape.parallel.default(2).describe('programs that are evaluated at once'),
      timeoutSeconds: openEvolvePlan.shape.timeoutSeconds
        .default(3_600)
        .describe('then it goes on with the best it has'),
      otherwise: openEvolvePlan.shape.otherwise
        .default('best-of-n')
        .describe('where OpenEvolve cannot be had: agents write candidates, or evolution fails'),
    })
    .optional()
    .describe('OpenEvolve writes the one candidate, in place of agents; left out: agents write them'),
});
