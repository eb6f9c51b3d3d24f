import type { ReadPool } from './until-closed.ts';

/** Position of the log's last event; 0 while it is empty. */
export async function readHead(pool: ReadPool): Promise<bigint> {
  const statement = { name: 'read-head', text: 'select position from event_log.head' };
  const { rows } = await pool.query<{ position: string }>(statement);
  if (rows[0] === undefined) throw new Error('event_log.head has no row');
  return BigInt(rows[0].position);
}
