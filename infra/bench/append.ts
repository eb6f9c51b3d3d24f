import { parseArgs } from 'node:util';
import pg from 'pg';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { newEvent, newStream, inFreshDatabase } from './fresh-database.ts';
import { makePlainTables, measure, openPlainAppend, type Measured, type PlainForm } from './plain-append.ts';

// How fast single events are appended with all checks, beside a plain locked append at a time on the same server.
const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
  },
});
const { url } = values;
const milliseconds = Number(values.seconds) * 1000;

const callers = [1, 64, 256] as const;
const plainForms: readonly PlainForm[] = ['transaction', 'statement'];
const results = new Map<string, Measured[]>();
const keep = (name: string, measured: Measured): void =>
  void results.set(name, [...(results.get(name) ?? []), measured]);

await inFreshDatabase(url, async (connectionString) => {
  const log = await createPostgresEventLog({ connectionString });
  const client = new pg.Client({ connectionString });
  await client.connect();
  await makePlainTables(client);
  const append = (): Promise<unknown> => log.append(newStream(), [newEvent()], 'none');
  await measure(append, 64, 1000);
  // In turns, so that what else the machine does meets all alike.
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const form of plainForms)
      keep(`plain, ${form}`, await measure(openPlainAppend(client, form), 1, milliseconds));
    for (const count of callers) keep(`${count} callers`, await measure(append, count, milliseconds));
  }
  await client.end();
  await log.close();
});

const median = (name: string): Measured => {
  const sorted = [...(results.get(name) ?? [])].sort((a, b) => a.perSecond - b.perSecond);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new Error(`nothing was measured for ${name}`);
  return middle;
};
const [transaction, statement] = plainForms.map((form) => median(`plain, ${form}`).perSecond);
console.table(
  [...results.keys()].map((name) => {
    const { perSecond, p50, p99 } = median(name);
    return {
      what: name,
      'appends/s': Math.round(perSecond),
      'p50 ms': Number(p50.toFixed(2)),
      'p99 ms': Number(p99.toFixed(2)),
      '× plain transaction': Number((perSecond / (transaction ?? Number.NaN)).toFixed(2)),
      '× plain statement': Number((perSecond / (statement ?? Number.NaN)).toFixed(2)),
    };
  }),
);
