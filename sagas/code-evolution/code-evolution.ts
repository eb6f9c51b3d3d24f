import { definePipeline } from '../pipeline/pipeline.ts';
import { correlate } from './correlate.ts';
import { absorb, noFacts } from './facts.ts';
import { failTask } from './steps/fail-task.ts';
import { awaitWork } from './steps/await-work.ts';
import { complete } from './steps/complete.ts';
import { evolve } from './steps/evolve.ts';
import { generate } from './steps/generate.ts';
import { merge } from './steps/merge.ts';
import { prepare } from './steps/prepare.ts';
import { publish } from './steps/publish.ts';
import { validate } from './steps/validate.ts';

/** From a claimed task to a merged, validated branch: one run for each claim. */
export const codeEvolution = definePipeline({
  name: 'code-evolution',
  topics: ['task', 'evolution'],
  correlate,
  facts: noFacts,
  absorb,
  ready: ({ claim }) => claim !== null,
  // What is merged stays merged: from then on the run goes to its end.
  stopped: ({ stopped, merged }) => (merged ? null : stopped),
  steps: [prepare, generate, awaitWork, evolve, publish, validate, merge, complete],
  conclude: failTask,
});
