import type pg from 'pg';

const PAGE = 1000;
const page = {
  name: 'plain-read',
  text: 'select * from event_log.events where position > $1 and position <= $2 order by position',
};

/** What one would write by hand: page by page, a row an event, as pg gives them. @returns how many rows came */
export async function plainRead(client: pg.Client, until: number): Promise<number> {
  let seen = 0;
  for (let after = 0; after < until; after += PAGE)
    seen += (await client.query({ ...page, values: [after, after + PAGE] })).rows.length;
  return seen;
}
