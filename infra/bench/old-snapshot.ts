import { parseArgs } from 'node:util';
import pg from 'pg';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { inFreshDatabase, newEvent, newStream } from './fresh-database.ts';
import { makePlainTables, measure, openPlainAppend } from './plain-append.ts';

// What an append costs while somebody holds an old snapshot (a dump, an idle transaction) and so many commits are behind it:
// the log's, beside a plain append that moves a counter row, each before and after.
const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    commits: { type: 'string', default: '600000' },
    seconds: { type: 'string', default: '5' },
  },
});
const { url } = values;
const commits = Number(values.commits);
const milliseconds = Number(values.seconds) * 1000;

/** Moves of the counter in one go, and for how long it is moved in all, in milliseconds: it slows down with each. */
const MOVES = 1_000;
const MOST_MOVING = 120_000;

/** So many commits of the log: one event each. */
const commitEvents = (count: number): string => `
do $$ begin for number in 1..${count} loop
  perform event_log.append_batch('task-' || uuidv7(), '{-1}', '{1}', '{0}', uuidv7()::text, 'TaskCreated', '{1}', '{}', '{}');
  commit;
end loop; end $$`;
const moveCounter = (count: number): string => `
do $$ begin for number in 1..${count} loop update plain.head set position = position + 1; commit; end loop; end $$`;

await inFreshDatabase(url, async (connectionString) => {
  const log = await createPostgresEventLog({ connectionString });
  const client = new pg.Client({ connectionString });
  await client.connect();
  await makePlainTables(client);
  const append = (): Promise<unknown> => log.append(newStream(), [newEvent()], 'none');
  const plain = openPlainAppend(client, 'statement');
  const row = async (what: string): Promise<Record<string, unknown>> => {
    const ours = await measure(append, 1, milliseconds);
    const byHand = await measure(plain, 1, milliseconds);
    return {
      what,
      'log: appends/s': Math.round(ours.perSecond),
      'p99 ms': Number(ours.p99.toFixed(2)),
      'counter row: appends/s': Math.round(byHand.perSecond),
      'its p99 ms': Number(byHand.p99.toFixed(2)),
    };
  };
  await measure(append, 1, 1_000);
  const rows = [await row('no old snapshot')];

  const holder = new pg.Client({ connectionString });
  await holder.connect();
  await holder.query('set idle_in_transaction_session_timeout = 0');
  await holder.query('begin isolation level repeatable read; select count(*) from event_log.events');
  const steps = 6;
  let moved = 0;
  for (let step = 1; step <= steps; step++) {
    await client.query('set synchronous_commit = off');
    await client.query(commitEvents(commits / steps));
    // Each move walks over all before it: the counter gets as many as its time allows.
    const until = performance.now() + MOST_MOVING / steps;
    for (; moved < (commits / steps) * step && performance.now() < until; moved += MOVES)
      await client.query(moveCounter(MOVES));
    // Both are measured as they are in earnest: a commit is on disk before it is answered.
    await client.query('set synchronous_commit = on');
    rows.push({ ...(await row(`${(commits / steps) * step} commits behind`)), 'behind the counter': moved });
    console.table(rows.slice(-1));
  }
  await holder.query('rollback');
  await holder.end();
  console.table(rows);
  await client.end();
  await log.close();
});
