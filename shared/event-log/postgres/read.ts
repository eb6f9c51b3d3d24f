import { setImmediate } from 'node:timers/promises';
import type pg from 'pg';
import type { EventMetadata, RecordedEvent } from '../../events/recorded-event.ts';
import type { Direction, EventFilter, ReadAllOptions, ReadStreamOptions } from '../port.ts';

/** The part of a pool that reading needs. */
export type ReadPool = {
  query<Row extends pg.QueryResultRow>(statement: pg.QueryConfig): Promise<pg.QueryResult<Row>>;
};

/** The pool for readers: what they wait for fails at once when the log is closed. A pool that ends lets those who wait in it wait. */
export function untilClosed(pool: pg.Pool, closing: AbortSignal): ReadPool {
  const waiting = new Set<(reason: Error) => void>();
  closing.addEventListener(
    'abort',
    () => {
      for (const reject of waiting) reject(new Error('reading: the event log is closed'));
    },
    { once: true },
  );
  return {
    query: (statement) =>
      new Promise((resolve, reject) => {
        waiting.add(reject);
        pool
          .query(statement)
          .then(resolve, reject)
          .finally(() => waiting.delete(reject));
      }),
  };
}

/**
 * SQL for one event as a JSON array. A page of such lines is one value, read by one JSON.parse: half the work of a row each.
 * Stream and type are names without quotes, and data and metadata are JSON already.
 */
const eventLine = `concat('[', position, ',"', stream, '",', revision, ',"', id, '","', type, '",', version, ',',
  floor(date_part('epoch', recorded_at) * 1000), ',', data, ',', metadata, ']')`;

type Line = [
  position: number,
  stream: string,
  revision: number,
  id: string,
  type: string,
  version: number,
  recordedAt: number,
  data: unknown,
  metadata: EventMetadata,
];

/** @param lines joined by commas; null when there are none */
export function toRecordedEvents(lines: string | null): RecordedEvent[] {
  if (lines === null) return [];
  const parsed = JSON.parse(`[${lines}]`) as Line[];
  return parsed.map(([position, stream, revision, id, type, version, recordedAt, data, metadata]) => ({
    id,
    type,
    version,
    stream,
    revision,
    // A position counts events from 1 and stays far below 2^53.
    position: BigInt(position),
    recordedAt: new Date(recordedAt),
    data,
    metadata,
  }));
}

const HEAD = { name: 'read-head', text: 'select position from event_log.head' };

/** Position of the log's last event; 0 while it is empty. */
export async function readHead(pool: ReadPool, statement = HEAD): Promise<bigint> {
  const { rows } = await pool.query<{ position: string }>(statement);
  if (rows[0] === undefined) throw new Error('event_log.head has no row');
  return BigInt(rows[0].position);
}

const LOOK = { name: 'look-at-head', text: `${HEAD.text} where not exists (select from event_log.events where false)` };

/** The same for those who wait for it to move. @throws Error also where the head can be read, and the events cannot any more */
export const lookAtHead = (pool: ReadPool): Promise<bigint> => readHead(pool, LOOK);

/** Reads a range of the log page by page, the next page coming while the last one is used. */
export async function* readAll(pool: ReadPool, options: ReadAllOptions): AsyncGenerator<RecordedEvent> {
  const head = await readHead(pool);
  const until = options.until === undefined || options.until > head ? head : options.until;
  let after = options.after ?? 0n;
  let window = firstWindow;
  const read = (): ReturnType<typeof readPage> | null => {
    if (after >= until) return null;
    const end = after + BigInt(window);
    const page = readPage(pool, after, end < until ? end : until, options);
    // It is awaited when its turn comes; until then a failure is not unheard.
    page.catch(() => undefined);
    return page;
  };
  let coming = read();
  while (coming !== null) {
    options.signal?.throwIfAborted();
    const page = await coming;
    window = nextWindow(window, after, page);
    after = page.next;
    coming = read();
    // pg sends a query when the event loop turns; without a turn, the server would idle until this page is used up.
    if (coming !== null) await setImmediate();
    yield* toRecordedEvents(page.lines);
  }
}

/** A page ends with the event that fills it up, in bytes: the largest event on top of this is what a page can have. */
export const PAGE_BYTES = 1024 * 1024;
/** An event of more than these bytes is large, and so many fill a page whatever the others have. */
const LARGE_EVENT = PAGE_BYTES / 64;
const MOST_LARGE = 65;

/**
 * SQL for the first events of a range that fill a page. `lines`: what `toRecordedEvents` reads; `last`: the number of the last of
 * them where the page is full before the range ends, else null. The sum alone would look at the whole range: PostgreSQL stops where
 * a count has got too high, so it counts what is large, and reads at most that and what is small.
 * @param number column that orders them @param events from what, with its conditions
 */
const filledPage = (number: 'position' | 'revision', order: 'asc' | 'desc', events: string): string => `
select string_agg(line, ',' order by number ${order}) filter (where before < ${PAGE_BYTES}) as lines,
  case when bool_or(before >= ${PAGE_BYTES})
    then ${order === 'asc' ? 'max' : 'min'}(number) filter (where before < ${PAGE_BYTES}) end as last
from (
  select number, line, sum(octet_length(line)) over page - octet_length(line) as before,
    count(nullif(octet_length(line) > ${LARGE_EVENT}, false)) over page as large
  from (select ${number} as number, ${eventLine} as line from ${events} order by ${number} ${order}) as line
  window page as (order by number ${order} rows unbounded preceding)
) as sized where large <= ${MOST_LARGE}`;

// One statement, one snapshot: the head and what is below it belong together. A stream is its type, a dash and 36 characters.
const readPageText = `
select (select position from event_log.head) as head, page.* from (${filledPage(
  'position',
  'asc',
  `event_log.events where position > $1 and position <= $2
    and ($3::text[] is null or type = any ($3)) and ($4::text[] is null or left(stream, -37) = any ($4))`,
)}) as page`;

export type Page = {
  /** What `toRecordedEvents` reads: the caller sends for the next page first. */
  readonly lines: string | null;
  /** Everything up to here was looked at. */
  readonly next: bigint;
  /** The page was full before the range ended. */
  readonly isFull: boolean;
  /** Position of the log's last event at that moment. */
  readonly head: bigint;
};

/** The events of a range of positions that pass the filter, until a page is full. Positions have no gaps: a range bounds the work. */
export async function readPage(pool: ReadPool, after: bigint, until: bigint, filter: EventFilter): Promise<Page> {
  const values = [after, until, filter.types ?? null, filter.streams ?? null];
  const { rows } = await pool.query<{ head: string; lines: string | null; last: string | null }>({
    name: 'read-page',
    text: readPageText,
    values,
  });
  const row = rows[0];
  if (row === undefined) throw new Error('event_log.head has no row');
  const { lines } = row;
  const head = BigInt(row.head);
  if (row.last !== null) return { lines, next: BigInt(row.last), isFull: true, head };
  const seen = until < head ? until : head;
  return { lines, next: seen > after ? seen : after, isFull: false, head };
}

const PAGE = 500;
const LAST_REVISION = 2 ** 31 - 1;

/** Reads a stream page by page; nothing is held open between them. */
export async function* readStream(
  pool: ReadPool,
  stream: string,
  options: ReadStreamOptions,
): AsyncGenerator<RecordedEvent> {
  const direction = options.direction ?? 'forward';
  let left = options.limit ?? Infinity;
  let from = options.from ?? (direction === 'forward' ? 0 : LAST_REVISION);
  while (left > 0 && from >= 0 && from <= LAST_REVISION) {
    options.signal?.throwIfAborted();
    const size = Math.min(PAGE, left);
    const { events, isFull } = await readStreamPage(pool, stream, direction, from, size);
    yield* events;
    const last = events.at(-1);
    if (last === undefined || (events.length < size && !isFull)) return;
    left -= events.length;
    from = direction === 'forward' ? last.revision + 1 : last.revision - 1;
  }
}

const statement = (order: 'asc' | 'desc'): string =>
  filledPage(
    'revision',
    order,
    `(select * from event_log.events where stream = $1 and revision ${order === 'asc' ? '>=' : '<='} $2
      order by revision ${order} limit $3) as range`,
  );

const forward = { name: 'read-stream-forward', text: statement('asc') };
const backward = { name: 'read-stream-backward', text: statement('desc') };

/** Up to `limit` events of a stream from a revision on, that one included, or until a page is full. */
async function readStreamPage(
  pool: ReadPool,
  stream: string,
  direction: Direction,
  from: number,
  limit: number,
): Promise<{ events: RecordedEvent[]; isFull: boolean }> {
  const { name, text } = direction === 'forward' ? forward : backward;
  const values = [stream, from, limit];
  const { rows } = await pool.query<{ lines: string | null; last: number | null }>({ name, text, values });
  return { events: toRecordedEvents(rows[0]?.lines ?? null), isFull: (rows[0]?.last ?? null) !== null };
}

const FIRST = 128;
const SMALLEST = 4;
const LARGEST = 8192;
const SMALL_PAGE = PAGE_BYTES / 2;

/** How many positions the first page spans. */
export const firstWindow = FIRST;

/**
 * How many positions the next page spans: wider over what is small or filtered out; where a page was full, as many as fitted,
 * so that little is looked at in vain.
 * @param current how many the page was to span @param after where it began, exclusive
 */
export function nextWindow(current: number, after: bigint, { isFull, next, lines }: Page): number {
  if (isFull) return Math.max(SMALLEST, Number(next - after));
  return (lines?.length ?? 0) < SMALL_PAGE ? Math.min(LARGEST, current * 2) : current;
}
