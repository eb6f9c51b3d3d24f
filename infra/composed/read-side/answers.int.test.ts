import { deliveryStreamId } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { newId, streamId, streamName } from '@workledger/shared/contexts/stream.ts';
import { problemCode } from '../../testing/servers/application.ts';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import type { z } from 'zod';
import { items, startReadSide, type ReadSide } from './testing.ts';
import { cancelled, createdTask, newTaskStream } from '../../testing/events/task-events.ts';

const RUNS = ['/pipelines', '/generations', '/evolutions', '/validations', '/merge-queues'];

let side: ReadSide;
let token: string;
const task = newTaskStream();
const [taskId, parentId, keyId, agentId, pipelineId] = [streamId(task), newId(), newId(), newId(), newId()];
const [generationId, evolutionId, validationId] = [newId(), newId(), newId()];
const deliveryId = deliveryStreamId('github', 'guid-1');

beforeAll(async () => {
  side = await startReadSide();
  side.startProjections();
  const body = await side.artefacts.put(Buffer.from('{}'), 'application/json');
  const received = { provider: 'github', deliveryId: 'guid-1', event: 'ping', action: null, repository: null, body };
  const agent = { name: 'helper', kind: 'worker', runtime: 'command', capabilities: ['code'], capacity: 2 };
  const paper = await side.artefacts.put(Buffer.from('a paper'), 'text/plain');
  const run = { taskId, runId: pipelineId };
  const commit = 'a'.repeat(40);
  const common = { ...run, repository: 'shop', base: commit };
  const failure = { step: 'work', reason: 'it fell', command: null, exitCode: 1, lastLines: [], log: paper };
  const call = { kind: 'call', key: 'work/1/1', component: 'code.work', request: {}, timeoutSeconds: 9 };
  const pipelineEvents = [
    { type: 'SagaStepChanged', data: { step: 'work', round: 1, attempt: 1, state: 'started', detail: {} } },
    { type: 'SagaEffectRequested', data: { effect: call } },
    { type: 'SagaEffectFailed', data: { key: call.key, failure, retryable: false, costUsd: 1, prompt: paper } },
    { type: 'SagaEnded', data: { outcome: 'failed', failure } },
  ];
  const generationEvents = [
    { type: 'GenerationRequested', data: { ...common, prompt: paper, strategies: ['helper'] } },
    { type: 'GenerationAttemptStarted', data: { ...run, attempt: 1, strategy: 'helper' } },
    { type: 'GenerationAttemptFailed', data: { ...run, attempt: 1, strategy: 'helper', failure, costUsd: 0.5 } },
    { type: 'GenerationFailed', data: { ...run, failure } },
  ];
  const plan = { metric: 'ms', direction: 'minimize', candidates: 1, generations: 1, target: null };
  const evaluated = { commit, metrics: { ms: 1 }, diffStat: { files: 1, insertions: 1, deletions: 0 } };
  const evolutionEvents = [
    {
      type: 'EvolutionStarted',
      data: { ...common, before: null, baseline: { ms: 2 }, plan: { ...plan, budgetUsd: null, patience: 1 } },
    },
    { type: 'EvolutionGenerationOpened', data: { ...run, generation: 1, parent: commit, candidates: ['1.1'] } },
    {
      type: 'CandidateEvaluated',
      data: {
        ...{ ...run, ...evaluated, generation: 1, candidate: '1.1' },
        ...{ diff: paper, output: paper, costUsd: null, durationMs: 5 },
      },
    },
    { type: 'EvolutionFailed', data: { ...run, failure } },
  ];
  const validationEvents = [
    { type: 'ValidationRequested', data: { ...common, commit, sendBackAllowed: true } },
    { type: 'ValidationPassed', data: { ...run, report: paper, protectedChanges: ['test/'] } },
  ];
  const source = { stream: task, revision: 1, eventId: newId() };
  const tokens = [
    await side.append(task, createdTask({ parentId }), cancelled),
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
    await side.append(
      streamName('saga-code-evolution', pipelineId),
      {
        type: 'SagaInputReceived',
        data: { source, type: 'TaskClaimed', data: {} },
      },
      ...pipelineEvents,
    ),
    await side.append(newTaskStream(), createdTask()),
    await side.append(streamName('generation', generationId), ...generationEvents),
    await side.append(streamName('evolution', evolutionId), ...evolutionEvents),
    await side.append(streamName('validation', validationId), ...validationEvents),
    await side.append(
      streamName('merge-queue', newId()),
      { type: 'MergeQueued', data: { ...run, repository: 'shop', baseBranch: 'main' } },
      { type: 'MergeTurnBegan', data: run },
    ),
  ];
  token = tokens.join(',');
  for (const path of ['/tasks', '/agents', '/keys', '/webhooks/deliveries', ...RUNS])
    await side.get(path, { 'Consistency-Token': token });
});
afterAll(() => side.close());

function publishedSchema(path: string): z.ZodType {
  const schema = side.routes.find((route) => route.path === `/api/v1${path}`)?.answers[200]?.schema;
  if (schema === undefined) throw new Error(`GET ${path} publishes no schema`);
  return schema;
}

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

test.each<[string, string]>([
  ['/tasks', '/tasks'],
  ['/tasks/next', '/tasks/next'],
  ['/tasks/{id}', `/tasks/${taskId}`],
  ['/agents', '/agents'],
  ['/agents/{id}', `/agents/${agentId}`],
  ['/pipelines', '/pipelines'],
  ['/pipelines/{id}', `/pipelines/${pipelineId}`],
  ['/generations', '/generations'],
  ['/generations/{id}', `/generations/${generationId}`],
  ['/evolutions', '/evolutions'],
  ['/evolutions/{id}', `/evolutions/${evolutionId}`],
  ['/validations', '/validations'],
  ['/validations/{id}', `/validations/${validationId}`],
  ['/merge-queues', '/merge-queues'],
  ['/merge-queues/{id}', `/merge-queues/${pipelineId}`],
  ['/webhooks/deliveries', '/webhooks/deliveries'],
  ['/webhooks/deliveries/{id}', `/webhooks/deliveries/${deliveryId}`],
  ['/keys', '/keys'],
  ['/keys/{id}', `/keys/${keyId}`],
  ['/streams/{stream}', `/streams/${task}`],
  ['/events', '/events'],
])('GET %s answers what its published schema says, and no field besides', async (route, path) => {
  const { status, body } = await side.get(path);
  const schema = publishedSchema(route);
  expect([status, schema.safeParse(body).error?.issues]).toEqual([200, undefined]);
  expect(schema.parse(body)).toEqual(body);
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
