import { get as httpGet, type IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { CHUNK_BYTES } from '@workledger/shared/artefacts/port.ts';
import { newId, streamId } from '@workledger/shared/contexts/stream.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { items, startReadSide, type ReadSide } from './testing.ts';
import type { Told } from '../../testing/servers/application.ts';
import { newTaskStream } from '../../testing/events/task-events.ts';

const MIB = 1024 * 1024;
const LARGE = 80;
const EVENT_BYTES = 250_000;

let side: ReadSide;
let auditor: string;
let after: bigint;
const stream = newTaskStream();

beforeAll(async () => {
  side = await startReadSide();
  auditor = await side.key('auditor');
  after = await side.log.head();
  await side.database.pool.query(
    `insert into event_log.events
     select $1::bigint + number, $2, number - 1, gen_random_uuid(), 'TaskDetailsChanged', 1,
       json_build_object('reason', repeat('x', $3::integer)), '{}', now()
     from generate_series(1, $4::integer) as number`,
    [String(after), stream, EVENT_BYTES, LARGE],
  );
});
afterAll(() => side.close());
afterEach(() => vi.restoreAllMocks());

describe('a page of large events ends at 4 MiB, and the pages together are all of them', () => {
  it.each([
    ['the log', (next: string) => `/events?limit=1000&streams=task&after=${next}`, () => String(after)],
    ['a stream', (next: string) => `/streams/${stream}?limit=1000&from=${next}`, () => '0'],
    [
      'a stream, backward',
      (next: string) => `/streams/${stream}?limit=1000&direction=backward&from=${next}`,
      () => String(LARGE - 1),
    ],
  ])('of %s', async (_, path, first) => {
    const revisions = new Set<unknown>();
    let pages = 0;
    for (let next: string | null = first(); next !== null; pages += 1) {
      const told = await side.get(path(next), {}, auditor);
      expect(Buffer.byteLength(JSON.stringify(told.body))).toBeLessThan(4 * MIB + EVENT_BYTES + 1_000);
      for (const item of items(told)) revisions.add(item['revision']);
      next = told.body['next'] as string | null;
    }
    expect(revisions.size).toBe(LARGE);
    expect(pages).toBeLessThanOrEqual((LARGE * EVENT_BYTES) / (4 * MIB) + 2);
  });
});

/** Where the page after this one is; null after the last. */
const following = (path: string, { body }: Told): string | null =>
  typeof body['next'] === 'string' ? `${path.replace(/&cursor=.*/, '')}&cursor=${body['next']}` : null;

describe('read models with large rows, and many that hang together', () => {
  const ROWS = 60;
  const taskId = newId();
  beforeAll(async () => {
    const query = (text: string, values: unknown[]): Promise<unknown> => side.database.pool.query(text, values);
    await query(
      `insert into read_models.tasks (id, revision, state, title, description, priority, labels, metadata, capabilities,
         subtasks, source_kind, failure, attempts, sent_back, created_at, waiting_since, updated_at)
       select case number when 1 then $1 when 2 then $5 else gen_random_uuid()::text end, $2::integer - 1, 'failed', 'large', '', 3, '{}',
         '{}', '{}', '{}', 'api', json_build_object('step', 'work', 'reason', repeat('x', $3::integer), 'command', null,
         'exitCode', 1, 'lastLines', '[]'::json, 'log', null), 1, 0, now() - number * interval '1 s', now(), now()
       from generate_series(1, $4::integer) as number`,
      [taskId, LARGE, EVENT_BYTES, ROWS, streamId(stream)],
    );
    await query(
      `insert into read_models.dependencies (id, task_id, depends_on, added_at)
       select gen_random_uuid()::text, id, $1, now() from read_models.tasks
       union all select gen_random_uuid()::text, gen_random_uuid()::text, $1, now() from generate_series(1, 10000)`,
      [taskId],
    );
    await query(
      `insert into read_models.validations (id, revision, task_id, run_id, repository, state, commit, base,
         protected_changes, requested_at)
       select gen_random_uuid()::text, 0, $1, gen_random_uuid()::text, 'shop', 'failed', 'a', 'b', '{}',
         now() - number * interval '1 s' from generate_series(1, 10000) as number`,
      [taskId],
    );
  });

  it.each(['created', '-created'])('a page of a list ends at 4 MiB, in order %s', async (sort) => {
    const seen = new Set<unknown>();
    let pages = 0;
    for (let path: string | null = `/tasks?limit=100&sort=${sort}`; path !== null; pages += 1) {
      const told = await side.get(path);
      expect(Buffer.byteLength(JSON.stringify(told.body))).toBeLessThan(4 * MIB + EVENT_BYTES + 20_000);
      for (const item of items(told)) seen.add(item['id']);
      path = following(path, told);
    }
    expect(seen.size).toBe(ROWS);
    expect(pages).toBeLessThanOrEqual((ROWS * EVENT_BYTES) / (4 * MIB) + 2);
  });

  it('a task comes with the newest of what hangs together with it; lists have the others', async () => {
    const { body } = await side.get(`/tasks/${taskId}`);
    expect(body['dependents']).toHaveLength(100);
    expect(body['validations']).toHaveLength(100);
    const waiting: unknown[] = [];
    for (let path: string | null = `/tasks?limit=40&dependsOn=${taskId}`; path !== null;) {
      const told = await side.get(path);
      waiting.push(...items(told));
      path = following(path, told);
    }
    expect(waiting).toHaveLength(ROWS);
    expect(items(await side.get(`/tasks?neededBy=${String((waiting[1] as { id: string }).id)}`))).toMatchObject([
      { id: taskId },
    ]);
  });

  it('a history of large events ends at a megabyte', async () => {
    const { body } = await side.get(`/tasks/${streamId(stream)}`);
    const history = body['history'] as { revision: number }[];
    expect(history.at(-1)?.revision).toBe(LARGE - 1);
    expect(history.length).toBeLessThanOrEqual(6);
  });
});

/** Opens an answer whose body nobody reads until it is resumed. */
const open = (path: string): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const headers = { Authorization: `Bearer ${auditor}` };
    httpGet(`${side.client.url}/api/v1${path}`, { headers, agent: false }, resolve).on('error', reject);
  });

/** Waits until a number has not grown for a while. */
async function untilQuiet(read: () => number): Promise<number> {
  for (let before = -1; ; await pause(300)) {
    if (read() === before && before > 0) return before;
    before = read();
  }
}

it('a client that does not read NDJSON makes nobody hold the log: it is read on as the client reads', async () => {
  const readAll = side.log.readAll.bind(side.log);
  let pulled = 0;
  vi.spyOn(side.log, 'readAll').mockImplementation(async function* (options): AsyncGenerator<RecordedEvent> {
    for await (const event of readAll(options)) {
      pulled += 1;
      yield event;
    }
  });
  const answer = await open(`/events?format=ndjson&after=${after}`);
  const held = await untilQuiet(() => pulled);
  // What the two sockets take; a process that gathered would have taken all.
  expect(held * EVENT_BYTES).toBeLessThan(16 * MIB);
  let bytes = 0;
  for await (const chunk of answer) bytes += (chunk as Buffer).byteLength;
  expect(pulled).toBe(LARGE);
  expect(bytes).toBeGreaterThan(LARGE * EVENT_BYTES);
});

describe('an artefact', () => {
  const SIZE = 100 * CHUNK_BYTES + 5;
  let path: string;
  let digest: string;
  beforeAll(async () => {
    ({ digest } = await side.artefacts.put(Buffer.alloc(SIZE, 'a paper '), 'text/plain'));
    path = `/artefacts/${digest}`;
  });

  /** Counts what is asked of the database, and the bytes of artefacts that it gives. */
  function count(): { statements: number; bytes: number } {
    const counted = { statements: 0, bytes: 0 };
    const pool = side.database.pool as unknown as {
      query(text: string, values: unknown[]): Promise<{ rows: Record<string, unknown>[] }>;
    };
    const query = pool.query.bind(pool);
    vi.spyOn(pool, 'query').mockImplementation(async (text, values) => {
      const result = await query(text, values);
      counted.statements += 1;
      for (const row of result.rows)
        for (const value of Object.values<unknown>(row)) if (Buffer.isBuffer(value)) counted.bytes += value.byteLength;
      return result;
    });
    return counted;
  }

  const ask = (method: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${side.client.url}/api/v1${path}`, { method, headers: { Authorization: `Bearer ${auditor}`, ...headers } });

  it('comes in chunks, with its length', async () => {
    const counted = count();
    const response = await ask('GET');
    expect(response.headers.get('content-length')).toBe(String(SIZE));
    expect((await response.arrayBuffer()).byteLength).toBe(SIZE);
    expect(counted).toEqual({ statements: 1 + 101, bytes: SIZE });
  });

  it.each([
    ['HEAD', 'HEAD', 200, 'other'],
    ['GET of who has it', 'GET', 304, 'it'],
    ['GET of who has any', 'GET', 304, 'any'],
    ['HEAD of who has it', 'HEAD', 304, 'it'],
  ] as const)('is not read for %s: one statement, no byte', async (_, method, status, has) => {
    const tags = { it: `"other", W/"${digest}"`, any: '*', other: '"other"' };
    const counted = count();
    const response = await ask(method, { 'If-None-Match': tags[has] });
    expect(response.status).toBe(status);
    expect(response.headers.get('etag')).toBe(`"${digest}"`);
    if (status === 200) expect(response.headers.get('content-length')).toBe(String(SIZE));
    expect((await response.arrayBuffer()).byteLength).toBe(0);
    expect(counted).toEqual({ statements: 1, bytes: 0 });
  });

  it('is read for who has another one', async () => {
    const response = await ask('GET', { 'If-None-Match': `"${'0'.repeat(64)}"` });
    expect([response.status, (await response.arrayBuffer()).byteLength]).toEqual([200, SIZE]);
  });

  it('is read no further than its client reads, and no more when that one goes away', async () => {
    const counted = count();
    const answer = await open(path);
    const held = await untilQuiet(() => counted.bytes);
    expect(held).toBeLessThan(SIZE / 2);
    answer.destroy();
    await pause(100);
    expect(await untilQuiet(() => counted.bytes)).toBeLessThanOrEqual(held + CHUNK_BYTES);
  });

  it('whose bytes were changed is a problem, not an answer, and nobody keeps it', async () => {
    const small = await side.artefacts.put(Buffer.from('right'), 'text/plain');
    await side.database.pool.query("update artefacts.artefacts set bytes = 'wrong' where digest = $1", [small.digest]);
    const told = await side.get(`/artefacts/${small.digest}`);
    expect(told.status).toBe(500);
    expect(told.headers.get('content-type')).toContain('application/problem+json');
    expect(told.headers.get('cache-control')).toBe('no-store');
    expect(told.headers.get('etag')).toBeNull();
    expect(Number(told.headers.get('content-length'))).toBe(Buffer.byteLength(JSON.stringify(told.body)));
  });
});
