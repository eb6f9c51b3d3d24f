import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dependenciesStream } from '@workledger/shared/contexts/task/dependencies/events.ts';
import { newId, streamId } from '@workledger/shared/contexts/stream.ts';
import { nextTasks } from '@workledger/shared/read-models/next-tasks.ts';
import { problemCode } from '../../testing/servers/application.ts';
import { items, startReadSide, type ReadSide } from './testing.ts';
import { cancelled, completed, createdTask, newTaskStream } from '../../testing/events/task-events.ts';

let side: ReadSide;
const stream = { urgent: newTaskStream(), labelled: newTaskStream(), waiting: newTaskStream(), gone: newTaskStream() };
const id = {
  urgent: streamId(stream.urgent),
  labelled: streamId(stream.labelled),
  waiting: streamId(stream.waiting),
  gone: streamId(stream.gone),
};
let token: string;

beforeAll(async () => {
  side = await startReadSide();
  side.startProjections();
  const tokens = [
    await side.append(stream.urgent, createdTask({ title: 'Urgent 100%', priority: 1, capabilities: ['code'] })),
    await side.append(
      stream.labelled,
      createdTask({ labels: ['a', 'b'], repository: 'sample', description: 'find_me' }),
    ),
    await side.append(dependenciesStream(null), {
      type: 'DependencyAdded',
      data: { taskId: id.waiting, dependsOn: id.urgent },
    }),
    await side.append(stream.waiting, createdTask({ priority: 2, dependencies: [id.urgent] })),
    await side.append(
      stream.gone,
      createdTask({ source: { kind: 'github', reference: 'o/r#1', url: null } }),
      cancelled,
    ),
  ];
  token = tokens.join(',');
});

afterAll(() => side.close());

type Page = { items: { id: string }[]; next: string | null };

const found = async (query: string): Promise<unknown[]> => {
  const told = await side.get(`/tasks?${query}`, { 'Consistency-Token': token });
  expect(told.status, JSON.stringify(told.body)).toBe(200);
  return items(told).map((item) => item['id']);
};

describe('GET /tasks', () => {
  it('lists the newest first, without descriptions', async () => {
    expect(await found('')).toEqual([id.gone, id.waiting, id.labelled, id.urgent]);
    expect(items(await side.get('/tasks'))[0]).not.toHaveProperty('description');
  });

  it('filters by status, priority, label, repository, source, blocked and text', async () => {
    expect(await found('status=cancelled')).toEqual([id.gone]);
    expect(await found('status=pending,cancelled&priority=1')).toEqual([id.urgent]);
    expect(await found('label=a&label=b')).toEqual([id.labelled]);
    expect(await found('label=a,c')).toEqual([]);
    expect(await found('repository=sample')).toEqual([id.labelled]);
    expect(await found('source=github')).toEqual([id.gone]);
    expect(await found('blocked=true')).toEqual([id.waiting]);
    expect(await found('text=FIND_ME')).toEqual([id.labelled]);
    expect(await found('text=find%25me')).toEqual([]);
    expect(await found('text=100%25')).toEqual([id.urgent]);
  });

  it.each(['created', '-created', 'priority', '-priority', 'updated', '-updated'])(
    'goes page by page, in order %s',
    async (sort) => {
      const whole = await found(`sort=${sort}`);
      const paged: unknown[] = [];
      let next = '';
      do {
        const page = (await side.get(`/tasks?sort=${sort}&limit=1${next}`)).body as Page;
        paged.push(...page.items.map((item) => item.id));
        next = page.next === null ? '' : `&cursor=${page.next}`;
      } while (next !== '');
      expect(paged).toEqual(whole);
      expect(new Set(paged).size).toBe(4);
    },
  );

  it.each([
    'colour=red',
    'status=asleep',
    'priority=6',
    'limit=0',
    'limit=101',
    'limit=ten',
    'sort=size',
    'text=',
    'text=%00',
  ])('refuses %s', async (query) => {
    const told = await side.get(`/tasks?${query}`);
    expect([told.status, problemCode(told)]).toEqual([400, 'invalid-request']);
  });

  it.each([
    'cursor=abc',
    `sort=created&cursor=${Buffer.from('{"order":"created","value":"soon","id":"x"}').toString('base64url')}`,
    `sort=created&cursor=${Buffer.from('{"order":"priority","value":"1","id":"x"}').toString('base64url')}`,
  ])('does not know %s, which it never gave', async (query) => {
    const told = await side.get(`/tasks?${query}`);
    expect([told.status, problemCode(told)]).toEqual([422, 'unknown-cursor']);
  });
});

describe('GET /tasks/{id}', () => {
  it('gives the task with what it waits for, its history, and its revision as ETag', async () => {
    const { status, headers, body } = await side.get(`/tasks/${id.waiting}`, { 'Consistency-Token': token });
    expect(status).toBe(200);
    expect(headers.get('ETag')).toBe('"0"');
    expect(body).toMatchObject({
      id: id.waiting,
      blocked: true,
      dependencies: [{ taskId: id.urgent, title: 'Urgent 100%', state: 'pending' }],
      dependents: [],
      history: [{ type: 'TaskCreated', revision: 0, data: {} }],
    });
    const other = await side.get(`/tasks/${id.gone}`);
    expect(other.headers.get('ETag')).toBe('"1"');
    expect(other.body['history']).toMatchObject([{ type: 'TaskCreated' }, { type: 'TaskCancelled' }]);
  });

  it('tells in its history what happened, not by whom or by which command, nor what the task itself has', async () => {
    const viewer = await side.key('viewer');
    const { body } = await side.get(`/tasks/${id.gone}`, { 'Consistency-Token': token }, viewer);
    const recordedAt = expect.any(String) as unknown;
    expect(body['history']).toEqual([
      { type: 'TaskCreated', revision: 0, recordedAt, data: {} },
      { type: 'TaskCancelled', revision: 1, recordedAt, data: { claimId: null, reason: 'not needed' } },
    ]);
  });

  it('knows no task that is not there, and no id that is none', async () => {
    expect(problemCode(await side.get(`/tasks/${newId()}`))).toBe('not-found');
    expect((await side.get('/tasks/42')).status).toBe(400);
  });
});

describe('GET /tasks/next', () => {
  it('gives what waits for an agent that can do it, most urgent first, and nothing that is blocked', async () => {
    const queue = async (query: string): Promise<unknown[]> =>
      items(await side.get(`/tasks/next${query}`, { 'Consistency-Token': token })).map((item) => item['taskId']);
    expect(await queue('')).toEqual([id.urgent, id.labelled]);
    expect(await queue('?capability=write')).toEqual([id.labelled]);
    expect(await queue('?capability=code,write&limit=1')).toEqual([id.urgent]);
    token = await side.append(stream.urgent, completed);
    expect(await queue('')).toEqual([id.waiting, id.labelled]);
  });
});

it('a task that waits becomes one priority more urgent after each ageing time', async () => {
  const [old, young] = [newTaskStream(), newTaskStream()];
  const both = [
    await side.append(old, createdTask({ priority: 4, capabilities: ['ageing'] })),
    await side.append(young, createdTask({ priority: 2, capabilities: ['ageing'] })),
  ].join(',');
  await side.get('/tasks', { 'Consistency-Token': both });
  const { pool } = side.database;
  const queue = async (ageingSeconds: number) =>
    (await nextTasks(pool, { capabilities: ['ageing'], ageingSeconds, limit: 10 }))
      .filter(({ taskId }) => [streamId(old), streamId(young)].includes(taskId))
      .map(({ taskId, urgency }) => ({ taskId, urgency }));
  await pool.query(
    `update read_models.tasks set waiting_since = waiting_since - interval '2500 seconds' where id = $1`,
    [streamId(old)],
  );
  expect(await queue(10_000)).toEqual([
    { taskId: streamId(young), urgency: 2 },
    { taskId: streamId(old), urgency: 4 },
  ]);
  expect(await queue(800)).toEqual([
    { taskId: streamId(old), urgency: 1 },
    { taskId: streamId(young), urgency: 2 },
  ]);
});
