import type pg from 'pg';
import { streamName } from '@workledger/shared/contexts/stream.ts';

type Database = Pick<pg.Pool, 'query'>;

/**
 * Puts old events straight into a PostgreSQL log that nobody appends to meanwhile, a month ago.
 * @param data SQL of their type and data by their number `n`, from 0; `id(text, number)` is a UUID made from both
 */
async function plant(database: Database, stream: string, first: number, count: number, data: string): Promise<void> {
  // A UUID has its version and its variant in two of its digits.
  const id = (text: string, number: string): string =>
    `overlay(overlay(md5('${text} ${stream} ' || ${number}) placing '5' from 13) placing '8' from 17)::uuid`;
  await database.query(
    `insert into event_log.events (position, stream, revision, id, type, version, data, metadata, recorded_at)
     select (select coalesce(max(position), 0) from event_log.events) + 1 + n, $1, $2 + n, ${id('event', '($2 + n)')}, ${data.replaceAll(
       /id\('(\w+)', ([^)]+)\)/g,
       (_, text: string, number: string) => id(text, `($2 + ${number})`),
     )},
       json_build_object('correlationId', 'planted', 'causationId', null, 'commandId', ${id('command', '($2 + n)')},
         'commandHash', repeat('0', 64), 'actor', 'system', 'traceparent', null), now() - interval '30 days'
     from generate_series(0, $3::integer - 1) as n`,
    [stream, first, count],
  );
}

/** So many claims that an agent had and gave back: two events each. @param first revision of the first event */
export const plantClaims = (database: Database, agentId: string, claims: number, first = 1): Promise<void> =>
  plant(
    database,
    streamName('agent', agentId),
    first,
    2 * claims,
    `case n % 2 when 0 then 'AgentReserved' else 'AgentReleased' end, 1,
     case n % 2 when 0 then json_build_object('claimId', id('claim', n / 2), 'taskId', id('task', n / 2))
       else json_build_object('claimId', id('claim', n / 2), 'taskId', id('task', n / 2), 'reason', 'complete') end`,
  );

/** A repository's edges: each task waits for the next. @returns the tasks, in this order */
export async function plantEdges(database: Database, id: string, edges: number): Promise<readonly string[]> {
  const stream = streamName('dependencies', id);
  const data = `'DependencyAdded', 1, json_build_object('taskId', id('task', n), 'dependsOn', id('task', n + 1))`;
  await plant(database, stream, 0, edges, data);
  const { rows } = await database.query<{ taskId: string }>(
    `select data ->> 'taskId' as "taskId" from event_log.events where stream = $1 order by revision`,
    [stream],
  );
  return rows.map(({ taskId }) => taskId);
}
