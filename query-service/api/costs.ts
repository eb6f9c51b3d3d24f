import { z } from 'zod';
import type { Route } from '@workledger/shared/http/route.ts';
import { costModel, dayOf } from '@workledger/shared/read-models/costs.ts';
import { selectRows } from '@workledger/shared/read-models/select-rows.ts';
import { atMost, many, queryRoute, READERS, type QueryOptions } from '../reading/query-route.ts';
import { scopeOf } from '../reading/scope.ts';
import type { Settle } from '../reading/consistency.ts';

const MOST_DAYS = 92;
const MOST_ITEMS = 1_000;
const DAY_MILLISECONDS = 86_400_000;

const KEYS = {
  day: 'paid.day',
  repository: 'c.repository',
  // An evolution does not tell who was asked: whoever has its run was.
  agent: `coalesce(c.agent_id, (select g.agent_id from read_models.costs g where g.run_id = c.run_id and g.agent_id is not null limit 1))`,
} as const;

/** Reads what was paid since the first day, and nothing older. */
const costsSql = (by: keyof typeof KEYS): string => `
select ${KEYS[by]} as key, round(sum(paid."costUsd")::numeric, 6)::double precision as "costUsd", count(distinct c.task_id)::integer as tasks
from read_models.costs c
cross join lateral jsonb_to_recordset(c.days) as paid (day text, "costUsd" double precision)
where c.last_day >= $1 and paid.day >= $1 and ($2::text[] is null or c.repository = any ($2))
group by 1 order by ${by === 'day' ? '1 desc' : '2 desc, 1'} limit ${MOST_ITEMS}`;

/** GET /costs */
export const listCosts = ({ pool }: QueryOptions, settle: Settle): Route =>
  queryRoute(settle, {
    path: '/costs',
    role: READERS,
    scoped: true,
    summary: 'What agents cost',
    description:
      'Sums of what agents told, attempts that failed included, by the day (UTC) on which each ended. Remote agents tell nothing.',
    answer: `Sums; the newest day, or the dearest, first; ${MOST_ITEMS} at most.`,
    schema: z.object({
      since: z.iso.date(),
      items: z.array(
        z.strictObject({
          key: z.string().nullable().describe('the day, the repository, or the id of the agent; null: not known'),
          costUsd: z.number(),
          tasks: z.int(),
        }),
      ),
    }),
    models: [costModel],
    query: {
      by: z.enum(['day', 'repository', 'agent']).default('day').describe('default: day'),
      days: atMost(MOST_DAYS, 30),
    },
    handler: async ({ query: { by, days }, principal }) => {
      const since = dayOf(new Date(Date.now() - (days - 1) * DAY_MILLISECONDS));
      return many({ since, items: await selectRows(pool, costsSql(by), [since, scopeOf({ principal })]) });
    },
  });
