import type { Pool } from 'pg';
import { z } from 'zod';
import { selectRows } from './select-rows.ts';
import { text } from '../contexts/text.ts';
import { requestRedrive } from '../consumption/redrives.ts';

const kind = z.enum(['read-model', 'saga', 'effect']);

/** Something that stands still until an operator asks for a redrive. */
export const parkedItem = z.object({
  kind,
  name: z.string().describe("the read model's, or the saga's"),
  stream: z.string().describe('the stream that the read model does not follow any more; the saga'),
  key: z.string().describe("the effect's; empty for what is none"),
  revision: z.int().nullable().describe('of the event that could not be applied; null where it is not kept'),
  reason: z.string(),
  parkedAt: z.iso.datetime(),
  waiting: z.int().nullable().describe('inputs that wait behind a saga; null: they wait in the log'),
});
export type ParkedItem = z.infer<typeof parkedItem>;

const place = { name: text(100), stream: text(300) };

/** Which one: in the order of these a list is read. */
export const parkedPlace = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('effect'), ...place, key: text(500, 1) }),
  z.strictObject({ kind: kind.exclude(['effect']), ...place, key: z.literal('').default('') }),
]);
export type ParkedPlace = z.infer<typeof parkedPlace>;

/** What is not of the version that follows now matters to nobody. */
const READ_MODELS = `
  select 'read-model' as kind, projection as name, stream, '' as key, parked_revision as revision, reason, parked_at
  from read_models.streams s
  where parked_at is not null
    and version = (select max(version) from read_models.progress p where p.projection = s.projection)`;

/** A saga's stream is saga-<name>-<uuid>. */
const SAGAS = `
  select case key when '' then 'saga' else 'effect' end, substr(left(stream, -37), 6), stream, key, null::integer, reason, parked_at
  from sagas.parked`;

/** SQL of all that is parked; of what was never made there is nothing. */
async function parkedSql(pool: Pool): Promise<{ all: string; hasSagas: boolean } | null> {
  const { rows } = await pool.query<{ models: boolean; sagas: boolean }>(
    `select to_regclass('read_models.redrives') is not null as models, to_regclass('sagas.parked') is not null as sagas`,
  );
  const is = rows[0];
  const parts = [...(is?.models === true ? [READ_MODELS] : []), ...(is?.sagas === true ? [SAGAS] : [])];
  const columns = '(kind, name, stream, key, revision, reason, parked_at)';
  return parts.length === 0
    ? null
    : { all: `(${parts.join(' union all ')}) as parked ${columns}`, hasSagas: is?.sagas === true };
}

/**
 * What stands still, in the order of kind, name, stream and key.
 * @param after the last one of the page before; null: from the start @param limit at most so many
 */
export async function listParked(pool: Pool, after: ParkedPlace | null, limit: number): Promise<ParkedItem[]> {
  const sql = await parkedSql(pool);
  if (sql === null) return [];
  const waiting = sql.hasSagas
    ? `case kind when 'saga' then (select count(*)::integer from sagas.waiting_inputs w where w.stream = page.stream) end`
    : 'null::integer';
  return selectRows<ParkedItem>(
    pool,
    `select kind, name, stream, key, revision, reason, parked_at as "parkedAt", ${waiting} as waiting
     from (
       select * from ${sql.all}
       where (kind, name, stream, key) > ($1, $2, $3, $4)
       order by kind, name, stream, key limit $5
     ) as page
     order by kind, name, stream, key`,
    [after?.kind ?? '', after?.name ?? '', after?.stream ?? '', after?.key ?? '', limit],
  );
}

/** Asks for a redrive of what is parked there; asking twice is asking once. @returns false when nothing such is parked */
export async function askForRedrive(pool: Pool, place: ParkedPlace, requestedBy: string): Promise<boolean> {
  const sql = await parkedSql(pool);
  if (sql === null) return false;
  const { rowCount } = await pool.query(`select from ${sql.all} where (kind, name, stream, key) = ($1, $2, $3, $4)`, [
    place.kind,
    place.name,
    place.stream,
    place.key,
  ]);
  if (rowCount === 0) return false;
  await requestRedrive(pool, place.kind === 'read-model' ? 'read_models' : 'sagas', place, requestedBy);
  return true;
}
