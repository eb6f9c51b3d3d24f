import type { EvolutionPlan } from '@workledger/shared/contexts/evolution/evolution/events.ts';
import type { Failure } from '@workledger/shared/contexts/values.ts';
import { dollars } from '@workledger/shared/read-models/budgets.ts';
import { because } from '../../engine/component.ts';
import { failed, type Outcome } from '../../pipeline/definition.ts';
import type { Facts } from '../facts.ts';

/** US dollars: what the task may cost, what its earlier runs did, and this one so far. Null: it has no budget. */
function spending({ claim, costUsd }: Facts): { limitUsd: number; earlierUsd: number; allUsd: number } | null {
  const budget = claim?.budget;
  if (budget === undefined) return null;
  const { limitUsd, spentUsd } = budget;
  return { limitUsd, earlierUsd: spentUsd, allUsd: spentUsd + (costUsd ?? 0) };
}

const over = (limitUsd: number, spentUsd: number, last?: string): Failure =>
  because(
    'budget',
    `over its budget of ${dollars(limitUsd)}: spent ${dollars(spentUsd)}${last === undefined ? '' : `; ${last}`}`,
  );

/** Why no agent is started at all: earlier runs of the task spent its budget. */
export function spentBefore(facts: Facts): Failure | null {
  const spent = spending(facts);
  return spent !== null && spent.earlierUsd >= spent.limitUsd ? over(spent.limitUsd, spent.earlierUsd) : null;
}

/** Why no agent is started again: this run and those before it spent the task's budget. @param last what it would have been started for */
export function overBudget(facts: Facts, last: string): Failure | null {
  const spent = spending(facts);
  return spent !== null && spent.allUsd >= spent.limitUsd ? over(spent.limitUsd, spent.allUsd, last) : null;
}

/** An attempt that failed, and is followed by another one only while the budget allows it. */
export function failedWithin(facts: Facts, failure: Failure, again: boolean): Outcome {
  const spent = again ? overBudget(facts, failure.reason) : null;
  if (spent === null) return failed(failure, again);
  const { step, reason } = spent;
  return failed({ ...failure, step, reason });
}

/** The plan with no more money than the task has left: an evolution stops there, and goes on with the best it has. */
export function affordable(facts: Facts, plan: EvolutionPlan): EvolutionPlan {
  const spent = spending(facts);
  if (spent === null) return plan;
  const left = Math.max(0, spent.limitUsd - spent.allUsd);
  return { ...plan, budgetUsd: Math.min(plan.budgetUsd ?? left, left) };
}
