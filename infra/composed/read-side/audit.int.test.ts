import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { problemCode } from '../../testing/servers/application.ts';
import { items, startReadSide, type ReadSide } from './testing.ts';
import { createdTask, newTaskStream } from '../../testing/events/task-events.ts';

let side: ReadSide;
let auditor: string;
const stream = newTaskStream();

beforeAll(async () => {
  side = await startReadSide();
  auditor = await side.key('auditor');
  await side.append(
    stream,
    createdTask({ title: 'Prüfung €' }),
    ...Array.from({ length: 6 }, (_, number) => retitled(number)),
  );
});

afterAll(() => side.close());

const retitled = (number: number) => ({ type: 'TaskDetailsChanged', data: { title: `title ${number}` } });
const revisions = async (path: string): Promise<unknown[]> =>
  items(await side.get(path)).map((item) => item['revision']);

/** The lines of an NDJSON answer, parsed. */
async function lines(path: string, accept = 'application/x-ndjson'): Promise<Record<string, unknown>[]> {
  const response = await fetch(`${side.client.url}/api/v1${path}`, {
    headers: { Authorization: `Bearer ${auditor}`, Accept: accept },
  });
  expect(response.headers.get('content-type')).toContain('application/x-ndjson');
  const text = await response.text();
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('GET /streams/{stream}', () => {
  it('gives events as they were written, forward and backward, by pages', async () => {
    const told = await side.get(`/streams/${stream}?limit=3`);
    expect(told.body['next']).toBe('3');
    expect(items(told)[0]).toMatchObject({
      type: 'TaskCreated',
      version: 1,
      data: { title: 'Prüfung €' },
      metadata: { actor: 'system' },
    });
    expect(await revisions(`/streams/${stream}?from=3`)).toEqual([3, 4, 5, 6]);
    expect(await revisions(`/streams/${stream}?direction=backward&limit=2`)).toEqual([6, 5]);
    expect((await side.get(`/streams/${stream}?direction=backward&limit=7`)).body['next']).toBeNull();
  });

  it('gives the whole stream as NDJSON', async () => {
    const events = await lines(`/streams/${stream}`);
    expect(events.map((event) => event['revision'])).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(events[0]).toMatchObject({ data: { title: 'Prüfung €' } });
  });

  it('knows no stream that is not there, and no name that is none', async () => {
    expect(problemCode(await side.get(`/streams/${streamName('task', newId())}`))).toBe('not-found');
    expect((await side.get('/streams/task-1')).status).toBe(400);
  });
});

describe('GET /events', () => {
  it('goes through the log by pages, with filters', async () => {
    const first = await side.get('/events?streams=task&limit=4');
    const second = await side.get(`/events?streams=task&limit=4&after=${String(first.body['next'])}`);
    expect([...items(first), ...items(second)].map((event) => event['revision'])).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(second.body['next']).toBeNull();
    const until = String(items(first)[1]?.['position']);
    expect(await revisions(`/events?streams=task&until=${until}`)).toEqual([0, 1]);
    expect(await revisions('/events?types=TaskCreated')).toEqual([0]);
  });

  it('streams the whole log as NDJSON, however long, or what the limit says', async () => {
    const many = newTaskStream();
    await side.append(many, createdTask(), ...Array.from({ length: 900 }, (_, number) => retitled(number)));
    const events = await lines('/events?format=ndjson', 'application/json');
    expect(BigInt(String(events.at(-1)?.['position']))).toBe(await side.log.head());
    expect(events.filter((event) => event['stream'] === many)).toHaveLength(901);
    expect(await lines('/events?limit=5')).toHaveLength(5);
  });

  it('lets go of a client that goes away in the middle', async () => {
    const leaving = new AbortController();
    const response = await fetch(`${side.client.url}/api/v1/events?format=ndjson`, {
      headers: { Authorization: `Bearer ${auditor}` },
      signal: leaving.signal,
    });
    await response.body!.getReader().read();
    leaving.abort();
    expect((await side.get('/events?limit=1')).status).toBe(200);
  });

  it.each([
    'after=-1',
    'after=99999999999999999999',
    'types=Nothing',
    'streams=nothing',
    'limit=1001',
    'colour=red',
    'format=csv',
  ])('refuses %s', async (query) => {
    expect((await side.get(`/events?${query}`)).status).toBe(400);
  });
});

describe('who may read', () => {
  it('the log is for auditors and administrators, keys for administrators, work for everyone with a key', async () => {
    const status = async (path: string, key: string): Promise<number> => (await side.get(path, {}, key)).status;
    for (const role of ['viewer', 'agent', 'operator'] as const) {
      const key = await side.key(role);
      expect(await status('/tasks', key)).toBe(200);
      expect(await status('/events', key)).toBe(403);
      expect(await status(`/streams/${stream}`, key)).toBe(403);
      expect(await status('/keys', key)).toBe(403);
      expect(await status('/webhooks/deliveries', key)).toBe(role === 'operator' ? 200 : 403);
    }
    expect(await status('/events', auditor)).toBe(200);
    expect(await status('/keys', auditor)).toBe(403);
    expect((await side.client.ask('GET', '/api/v1/tasks')).status).toBe(401);
  });
});
