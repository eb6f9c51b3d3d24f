import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrateReadModels } from '@workledger/projections/migrations.ts';
import { nextTasks } from '@workledger/shared/read-models/next-tasks.ts';
import { createTestDatabase, type TestDatabase } from '../../testing/servers/database.ts';
import { plantTasks } from '../../testing/servers/planted-tasks.ts';

const WAITING = 30_000;
const LIMIT = 50;

type Plan = { readonly 'Node Type': string; readonly 'Actual Rows': number; readonly 'Actual Loops': number } & {
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Plan[];
};

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await migrateReadModels(database.url);
  await plantTasks(database.pool, { waiting: WAITING, capabilities: ['python', 'rust', 'sql'] });
});
afterAll(() => database.drop());

/** Rows of tables and indexes that were looked at. */
const rowsRead = (plan: Plan): number =>
  (plan['Node Type'].includes('Scan') && plan['Node Type'] !== 'CTE Scan'
    ? (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops']
    : 0) + (plan.Plans ?? []).reduce((sum, inner) => sum + rowsRead(inner), 0);

/** Asks for the queue, and answers what that read. */
async function readBy(options: Omit<Parameters<typeof nextTasks>[1], 'ageingSeconds' | 'limit'>): Promise<number> {
  let plan: Plan | undefined;
  const explaining = {
    query: async ({ text, values }: { text: string; values: unknown[] }) => {
      const { rows } = await database.pool.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>({
        text: `explain (analyze, format json) ${text}`,
        values,
      });
      plan = rows[0]?.['QUERY PLAN'][0].Plan;
      return { rows: [] };
    },
  };
  await nextTasks(explaining as never, { ...options, ageingSeconds: 3_600, limit: LIMIT });
  return rowsRead(plan as Plan);
}

describe('the queue, with 30,000 tasks that wait', () => {
  it.each([
    ['any agent', {}],
    ['an agent that can do a third of them', { capabilities: ['rust', 'go'] }],
    ['an agent that can do none', { capabilities: ['cobol'] }],
    ['an agent that needs a repository', { capabilities: ['sql'], withRepository: true }],
    ['one repository', { repositories: ['sample'] }],
    ['a repository where nothing waits, beside one whose budget is spent', { repositories: ['other'] }],
  ])('is read for %s by looking at few of them', async (_, options) => {
    // Three sets of capabilities, five priorities, with a repository and without: a limit's worth of each at most, and the way there.
    expect(await readBy(options)).toBeLessThan(3 * 5 * 2 * LIMIT * 2 + 100);
  });

  it('has the most urgent first: one priority counts as much as one ageing time of waiting', async () => {
    const queue = await nextTasks(database.pool, { ageingSeconds: 3_600, limit: 20 });
    const { rows } = await database.pool.query<{ id: string }>(
      `select id from read_models.tasks order by waiting_since + priority * interval '1 hour', created_at, id limit 20`,
    );
    expect(queue.map(({ taskId }) => taskId)).toEqual(rows.map(({ id }) => id));
  });
});
