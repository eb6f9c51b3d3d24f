import { z } from 'zod';
import { evolutionPlan, openEvolvePlan } from '@workledger/shared/contexts/evolution/evolution/events.ts';
import { metrics } from '@workledger/shared/contexts/values.ts';
import { inRun } from '../run-component.ts';

/** What `evolution.openevolve` is asked. */
export const openEvolveRequest = inRun.extend({
  parent: z.string(),
  base: z.string(),
  /** Names the result, as of `code.work`. */
  label: z.string(),
  plan: evolutionPlan.pick({ metric: true, direction: true, target: true, budgetUsd: true }),
  openevolve: openEvolvePlan,
  /** What the parent measures. */
  current: metrics,
});
export type OpenEvolveRequest = z.infer<typeof openEvolveRequest>;
