import { afterAll, beforeAll, expect, it } from 'vitest';
import type { GenerationEvent } from '@workledger/shared/contexts/evolution/generation/events.ts';
import { newId, streamId, streamName } from '@workledger/shared/contexts/stream.ts';
import { dayOf } from '@workledger/shared/read-models/costs.ts';
import { commitOf, failed } from '../../testing/events/history.ts';
import { createdTask, newTaskStream } from '../../testing/events/task-events.ts';
import { items, startReadSide, type ReadSide } from './testing.ts';

let side: ReadSide;
let token: string;
const [whole, part, other] = [newTaskStream(), newTaskStream(), newTaskStream()];
const agentId = newId();

/** A generation whose attempts all failed, and what each cost. */
function generation(taskStream: string, repository: string, ...costs: readonly number[]): Promise<string> {
  const run = { taskId: streamId(taskStream), runId: newId() };
  const strategies = costs.map(() => agentId);
  const events: GenerationEvent[] = [
    { type: 'GenerationRequested', data: { ...run, repository, base: commitOf('a'), prompt: null, strategies } },
    ...costs.map((costUsd, index): GenerationEvent => ({
      type: 'GenerationAttemptFailed',
      data: { ...run, attempt: index + 1, strategy: agentId, failure: failed('changed nothing'), costUsd },
    })),
  ];
  return side.append(streamName('generation', newId()), ...events);
}

beforeAll(async () => {
  side = await startReadSide();
  side.startProjections();
  const subtasks = [streamId(part)];
  const tokens = [
    await side.append(whole, createdTask({ repository: 'shop' }), { type: 'TaskExpanded', data: { subtasks } }),
    await side.append(part, createdTask({ title: 'The part', repository: 'shop', parentId: streamId(whole) })),
    await side.append(other, createdTask({ repository: 'other' })),
    await generation(part, 'shop', 0.25, 0.5),
    await generation(part, 'shop', 1),
    await generation(other, 'other', 1.1, 2.2),
  ];
  token = tokens.join(',');
});
afterAll(() => side.close());

const get = async (path: string, key?: string): Promise<Record<string, unknown>> => {
  const told = await side.get(path, { 'Consistency-Token': token }, key);
  expect(told.status, JSON.stringify(told.body)).toBe(200);
  return told.body;
};

it('a task tells what all its attempts in all its runs cost, those that failed, too, and why it waits', async () => {
  expect(await get(`/tasks/${streamId(part)}`)).toMatchObject({
    costUsd: 1.75,
    parts: null,
    waitingFor: [{ kind: 'capability', missing: [], text: 'no agent is registered' }],
  });
  const listed = items(await side.get('/tasks?sort=created', { 'Consistency-Token': token }));
  expect(listed.map(({ costUsd }) => costUsd)).toEqual([null, 1.75, 3.3]);
  expect(listed[0]).toMatchObject({ waitingFor: [{ kind: 'subtasks', subtasks: 1, complete: 0 }] });
});

it('a parent shows how its subtasks stand, and what they cost, apart from itself', async () => {
  expect(await get(`/tasks/${streamId(whole)}`)).toMatchObject({
    costUsd: null,
    parts: {
      total: 1,
      states: { pending: 1 },
      percent: 0,
      costUsd: 1.75,
      items: [{ id: streamId(part), title: 'The part', state: 'pending' }],
    },
  });
});

it('costs are told by day, by repository and by agent, to each key only those of its repositories', async () => {
  const day = dayOf(new Date());
  expect((await get('/costs'))['items']).toEqual([{ key: day, costUsd: 5.05, tasks: 2 }]);
  expect((await get('/costs?by=repository&days=1'))['items']).toEqual([
    { key: 'other', costUsd: 3.3, tasks: 1 },
    { key: 'shop', costUsd: 1.75, tasks: 1 },
  ]);
  expect((await get('/costs?by=agent'))['items']).toEqual([{ key: agentId, costUsd: 5.05, tasks: 2 }]);
  const limited = await side.key('viewer', { repositories: ['shop'] });
  expect((await get('/costs', limited))['items']).toEqual([{ key: day, costUsd: 1.75, tasks: 1 }]);
  expect((await side.get('/costs?by=colour')).status).toBe(400);
});
