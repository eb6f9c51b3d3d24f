import type { Pool } from 'pg';
import { z } from 'zod';
import { text } from '../contexts/text.ts';
import { selectRows } from './select-rows.ts';

/** Seconds between two looks of a process; who has not looked for three of them is gone. */
export const LOOK_SECONDS = 30;
const GONE_SECONDS = 3 * LOOK_SECONDS;

/** A system outside, a model, a program, a plugin or a component, as one process sees it. */
export const componentState = z.strictObject({
  name: z
    .string()
    .describe(
      'as `/health` names it: `github`, `model <name>`, `code.work`, `agent <name>`, `openevolve`, `<plugin>`, `<plugin> <target>`',
    ),
  kind: z.enum(['system', 'model', 'plugin', 'component', 'program']),
  process: z
    .string()
    .describe(
      'who sees it so: each process of sagas has breakers of its own; programs of a runner are as that runner sees them',
    ),
  state: z
    .enum(['healthy', 'degraded', 'unavailable'])
    .describe(
      '`degraded`: it takes less than it is asked; `unavailable`: it does not answer, lets nobody in, or rests for having failed',
    ),
  reason: z.string().nullable().describe('why it is not healthy; null: it is'),
  since: z.iso.datetime().describe('when this state began'),
  seenAt: z.iso.datetime().describe('when it was looked at last'),
  isStale: z
    .boolean()
    .describe(`the process has not looked for ${GONE_SECONDS} s, it is gone or hangs: the state is the last it saw`),
});
export type ComponentState = z.infer<typeof componentState>;

/** Where a page ended. */
export const componentPlace = z.strictObject({ name: text(300), process: text(300) });

export type ComponentsAsked = {
  readonly state: readonly string[] | null;
  readonly after: z.infer<typeof componentPlace> | null;
  readonly limit: number;
};

/** In the order of their names, then of processes. */
export async function listComponents(pool: Pool, { state, after, limit }: ComponentsAsked): Promise<ComponentState[]> {
  // Sagas make the table, and may not have been here yet.
  const { rows } = await pool.query<{ is: boolean }>(`select to_regclass('sagas.components') is not null as is`);
  if (rows[0]?.is !== true) return [];
  return selectRows<ComponentState>(
    pool,
    `select name, kind, process, state, reason, since, seen_at as "seenAt",
       seen_at < clock_timestamp() - make_interval(secs => ${GONE_SECONDS}) as "isStale"
     from sagas.components
     where ($1::text[] is null or state = any ($1)) and ($2::text is null or (name, process) > ($2, $3))
     order by name, process limit $4`,
    [state, after?.name ?? null, after?.process ?? null, limit],
  );
}
