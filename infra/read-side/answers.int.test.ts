import { agentAnswer } from '@workledger/query-service/answers/agent.ts';
import { deliveryAnswer } from '@workledger/query-service/answers/delivery.ts';
import { eventAnswer } from '@workledger/query-service/answers/event.ts';
import { keyAnswer } from '@workledger/query-service/answers/key.ts';
import { pageOf } from '@workledger/query-service/answers/page.ts';
import { runAnswer } from '@workledger/query-service/answers/run.ts';
import { listedTask, wholeTask } from '@workledger/query-service/answers/task.ts';
import { deliveryStreamId } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { newId, streamId, streamName } from '@workledger/shared/contexts/stream.ts';
import { problemCode } from '@workledger/shared/http/testing/client.ts';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import type { z } from 'zod';
import { items, startReadSide, type ReadSide } from './testing/read-side.ts';
import { cancelled, created, newTaskStream } from './testing/tasks.ts';

let side: ReadSide;
let token: string;
const task = newTaskStream();
const [taskId, parentId, keyId, agentId, pipelineId] = [streamId(task), newId(), newId(), newId(), newId()];
const deliveryId = deliveryStreamId('github', 'guid-1');

beforeAll(async () => {
  side = await startReadSide();
  side.startProjections();
  const body = await side.artefacts.put(Buffer.from('{}'), 'application/json');
  const received = { provider: 'github', deliveryId: 'guid-1', event: 'ping', action: null, repository: null, body };
  const agent = { name: 'helper', kind: 'worker', runtime: 'command', capabilities: ['code'], capacity: 2 };
  const source = { stream: task, revision: 1, eventId: newId() };
  const tokens = [
    await side.append(task, created({ parentId }), cancelled),
    await side.append(
      streamName('delivery', deliveryId),
      { type: 'DeliveryReceived', data: { ...received, sender: 'ada' } },
      { type: 'DeliveryIgnored', data: { reason: 'a ping' } },
    ),
    await side.append(
      streamName('agent', agentId),
      { type: 'AgentRegistered', data: { ...agent, coordinatorId: null } },
      { type: 'AgentReserved', data: { claimId: newId(), taskId } },
    ),
    await side.append(streamName('key', keyId), {
      type: 'KeyCreated',
      data: { name: 'one more', role: 'viewer', agentId: null, secretHash: 'ab'.repeat(32) },
    }),
    await side.append(streamName('saga-code-evolution', pipelineId), {
      type: 'SagaInputReceived',
      data: { source, type: 'TaskClaimed', data: {} },
    }),
  ];
  token = tokens.join(',');
  for (const path of ['/tasks', '/agents', '/keys', '/pipelines', '/webhooks/deliveries'])
    await side.get(path, { 'Consistency-Token': token });
});
afterAll(() => side.close());

test('every query that answers JSON tells in the OpenAPI document what it answers', async () => {
  const { body } = await side.client.ask('GET', '/api/v1/openapi.json', {});
  const paths = body['paths'] as Record<string, { get?: { responses: { 200: { content: Record<string, object> } } } }>;
  const bare = Object.entries(paths)
    .filter(([path, { get }]) => path.startsWith('/api/v1/') && path !== '/api/v1/openapi.json' && get !== undefined)
    .filter(([, { get }]) => 'application/json' in (get?.responses[200].content ?? {}))
    .filter(([, { get }]) => !('schema' in (get?.responses[200].content['application/json'] ?? {})))
    .map(([path]) => path);
  expect([Object.keys(paths).length > 15, bare]).toEqual([true, []]);
});

test.each<[string, z.ZodType]>([
  ['/tasks', pageOf(listedTask)],
  [`/tasks/${taskId}`, wholeTask],
  ['/agents', pageOf(agentAnswer)],
  [`/agents/${agentId}`, agentAnswer],
  ['/pipelines', pageOf(runAnswer(['running']))],
  [`/pipelines/${pipelineId}`, runAnswer(['running'])],
  ['/webhooks/deliveries', pageOf(deliveryAnswer)],
  [`/webhooks/deliveries/${deliveryId}`, deliveryAnswer],
  ['/keys', pageOf(keyAnswer)],
  [`/keys/${keyId}`, keyAnswer],
  [`/streams/${task}`, pageOf(eventAnswer)],
  ['/events', pageOf(eventAnswer)],
])('what GET %s answers is what its schema says', async (path, schema) => {
  const { status, body } = await side.get(path);
  expect([status, schema.safeParse(body).error?.issues]).toEqual([200, undefined]);
  expect(body['items'] ?? ['itself']).not.toEqual([]);
});

describe('GET /keys/{id}', () => {
  it('gives a key without anything secret, to administrators only', async () => {
    const { status, headers, body } = await side.get(`/keys/${keyId}`);
    expect([status, headers.get('ETag'), body['name']]).toEqual([200, '"0"', 'one more']);
    expect(JSON.stringify(body)).not.toMatch(/(ab){32}|secret/i);
    expect(problemCode(await side.get(`/keys/${keyId}`, {}, await side.key('auditor')))).toBe('forbidden');
    expect(problemCode(await side.get(`/keys/${newId()}`))).toBe('not-found');
  });
});

describe('an id in capitals', () => {
  const capitals = (text: string): string => text.toUpperCase();

  it('is found as a filter', async () => {
    expect(items(await side.get(`/tasks?parent=${capitals(parentId)}`))).toMatchObject([{ id: taskId }]);
  });

  it.each([`/tasks/${capitals(taskId)}`, `/keys/${capitals(keyId)}`, `/streams/task-${capitals(taskId)}`])(
    'is found in the path: GET %s',
    async (path) => expect((await side.get(path)).status).toBe(200),
  );
});
