import type { EvolutionPlan } from '@workledger/shared/contexts/evolution/evolution/events.ts';
import type { Failure } from '@workledger/shared/contexts/values.ts';
import type { ResultOf } from '../../components/catalogue.ts';
import type { Effector, Settled } from '../../pipeline/definition.ts';
import type { Facts } from '../facts.ts';
import { askAgain, checkSeconds, inRun, known, planOf } from './run.ts';

/** For packages that are fetched, once on a machine. */
const ENVIRONMENT_SECONDS = 1_500;
/** A call may wait while others hold all slots. */
const TURNS = 4;

/**
 * The plan by the engine that can be had: where OpenEvolve is asked for and cannot run here, agents write candidates, or evolution fails,
 * as the plan says. Null while that is not known.
 */
export function enginePlan(facts: Facts, on: Effector): EvolutionPlan | { readonly failure: Failure } | null {
  const { openevolve, ...bestOfN } = known(planOf(facts).evolve);
  if (openevolve === undefined) return bestOfN;
  const request = { ...inRun(facts), model: openevolve.model };
  const found = on.tryCall('engine', 'evolution.environment', request, TURNS * ENVIRONMENT_SECONDS);
  if (found === null) return null;
  // It brings one candidate, the best of all that it tried.
  if (found.failure === undefined) return { ...bestOfN, candidates: 1, generations: 1, openevolve };
  return openevolve.otherwise === 'fail' ? { failure: found.failure } : bestOfN;
}

/** The candidate as OpenEvolve writes it; undefined: agents write this evolution's. */
export function writtenByOpenEvolve(
  facts: Facts,
  on: Effector,
  { parent, name }: { readonly parent: string; readonly name: string },
): Settled<ResultOf<'evolution.openevolve'>> | null | undefined {
  const { openevolve, budgetUsd } = facts.engine ?? {};
  if (openevolve === undefined) return undefined;
  const plan = planOf(facts);
  const { metric, direction, target } = known(plan.evolve);
  const request = {
    ...{ ...inRun(facts), parent, base: known(facts.base), label: name, openevolve, current: facts.metrics ?? {} },
    plan: { metric, direction, target, budgetUsd: budgetUsd ?? null },
  };
  const seconds = TURNS * (openevolve.timeoutSeconds + ENVIRONMENT_SECONDS) + checkSeconds(plan);
  return askAgain(on, name, (again) => on.tryCall(again, 'evolution.openevolve', request, seconds));
}
