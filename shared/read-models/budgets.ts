import type { Configuration, Repository } from '../config/schema.ts';
import type { DayCosts } from './costs.ts';

/** What a configuration says of money. */
export type Budgets = Pick<Configuration, 'budgets'> & {
  readonly repositories: readonly Pick<Repository, 'name' | 'budgets'>[];
};

/** A budget of a day that is spent; repository null: that of all. US dollars. */
export type SpentDay = { readonly repository: string | null; readonly spentUsd: number; readonly limitUsd: number };

/** US dollars that all runs of a task may cost together; null: no limit. */
export const taskLimit = ({ budgets, repositories }: Budgets, repository: string | null): number | null =>
  repositories.find(({ name }) => name === repository)?.budgets.taskUsd ?? budgets.taskUsd;

/** Whether any day has a limit: else nobody need ask what it cost. */
export const hasDayLimit = ({ budgets, repositories }: Budgets): boolean =>
  budgets.dayUsd !== null || repositories.some((repository) => repository.budgets.dayUsd !== null);

/** The budget that keeps agents from a repository's tasks for the rest of the day; null: none does. */
export function spentDay({ budgets, repositories }: Budgets, repository: string, costs: DayCosts): SpentDay | null {
  const spent = (name: string | null, spentUsd: number, limitUsd: number | null | undefined): SpentDay | null =>
    limitUsd !== null && limitUsd !== undefined && spentUsd >= limitUsd
      ? { repository: name, spentUsd, limitUsd }
      : null;
  const own = repositories.find(({ name }) => name === repository)?.budgets.dayUsd;
  return spent(null, costs.total, budgets.dayUsd) ?? spent(repository, costs.byRepository.get(repository) ?? 0, own);
}

/** US dollars for a person: `$0.50`. */
export const dollars = (usd: number): string => `$${usd.toFixed(2)}`;
