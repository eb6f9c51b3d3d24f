import type { Pool } from 'pg';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import { dollars, hasDayLimit, spentDay, taskLimit, type Budgets } from '@workledger/shared/read-models/budgets.ts';
import { costOfTask, costsOfDay, dayOf } from '@workledger/shared/read-models/costs.ts';

/** What a task may cost, and what its runs until now did, US dollars. */
export type TaskBudget = { readonly limitUsd: number; readonly spentUsd: number };

/** Whether there is money left for agents that Workledger starts. Of read models, which may be a little behind: what runs goes on anyway. */
export type Spending = {
  /** Repositories for which an agent may be started now; null: no budget of a day is spent. */
  open(): Promise<readonly string[] | null>;
  /** @throws CommandRefused `blocked` while the repository's day, or that of all, is spent */
  demand(repository: string | null): Promise<void>;
  /** Null: the task has no budget. */
  ofTask(taskId: string, repository: string | null): Promise<TaskBudget | null>;
};

/** @param now milliseconds since 1970 */
export function createSpending(pool: Pool, budgets: Budgets, now: () => number = Date.now): Spending {
  const today = () => costsOfDay(pool, dayOf(new Date(now())));
  return {
    open: async () => {
      if (!hasDayLimit(budgets)) return null;
      const costs = await today();
      const names = budgets.repositories.map(({ name }) => name);
      const open = names.filter((name) => spentDay(budgets, name, costs) === null);
      return open.length === names.length ? null : open;
    },
    demand: async (repository) => {
      if (repository === null || !hasDayLimit(budgets)) return;
      const spent = spentDay(budgets, repository, await today());
      if (spent === null) return;
      const { spentUsd, limitUsd } = spent;
      const whose = spent.repository === null ? "the day's budget" : `the day's budget of ${spent.repository}`;
      refuse('blocked', `${whose} of ${dollars(limitUsd)} is spent: ${dollars(spentUsd)}`, { budget: spent });
    },
    ofTask: async (taskId, repository) => {
      const limitUsd = taskLimit(budgets, repository);
      return limitUsd === null ? null : { limitUsd, spentUsd: (await costOfTask(pool, taskId)) ?? 0 };
    },
  };
}

/** Where no budget is configured. */
export const noBudgets: Spending = {
  open: () => Promise.resolve(null),
  demand: () => Promise.resolve(),
  ofTask: () => Promise.resolve(null),
};
