import { createCommandRoutes } from '@workledger/command-service/api/command-routes.ts';
import { commandServiceMigrations } from '@workledger/command-service/processes/heartbeats.ts';
import { createCommandHandlers } from '@workledger/command-service/processes/handlers.ts';
import { newId, streamId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { EvolutionEvent } from '@workledger/shared/contexts/evolution/evolution/events.ts';
import type { GenerationEvent } from '@workledger/shared/contexts/evolution/generation/events.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { finishedTasks } from '@workledger/shared/read-models/finished-tasks.ts';
import { modelTries } from '@workledger/shared/read-models/model-records.ts';
import { authenticateWith } from '@workledger/shared/security/authenticate.ts';
import { createKeyStore } from '@workledger/shared/security/key-store.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { captureLog } from '../../testing/events/captured-logger.ts';
import { commitOf, diffStat, failed, paper } from '../../testing/events/history.ts';
import { completed, createdTask, newTaskStream } from '../../testing/events/task-events.ts';
import { problemCode, serve, type Asked, type TestClient, type Told } from '../../testing/servers/application.ts';
import { items, startReadSide, type ReadSide } from './testing.ts';

let side: ReadSide;
let client: TestClient;
let operator: string;
let limited: string;

beforeAll(async () => {
  side = await startReadSide();
  const { log, database } = side;
  const { pool } = database;
  await migrate(database.url, 'command_service', commandServiceMigrations);
  side.startProjections();
  const commands = await createCommandHandlers({
    ...{ log, pool },
    nextTasks: async () => [],
    configuration: {
      ...{ repositories: [{ name: 'shop' }, { name: 'other' }], leaseSeconds: 60, heartbeatSeconds: 30 },
      models: [
        { name: 'small', inputUsd: 1, outputUsd: 5 },
        { name: 'large', inputUsd: 10, outputUsd: 50 },
      ],
    },
  });
  const keys = createKeyStore(log);
  const { logger } = captureLog();
  const routes = createCommandRoutes({ ...{ commands, log, pool, keys, logger } });
  client = await serve({ routes, authenticate: authenticateWith(keys), logger });
  operator = await side.key('operator');
  limited = await side.key('operator', { repositories: ['shop'] });
});
afterAll(async () => {
  await client.stop();
  await side.close();
});

const ROUTE = '/api/v1/autonomous/ai/route';
const post = (path: string, json: object, asked: Asked = {}): Promise<Told> =>
  client.ask('POST', `${ROUTE}${path}`, { key: operator, json, ...asked });
const bug = { task_type: 'bug', complexity: 'medium', context: {} };

async function report(id: unknown, json: object, asked: Asked = {}): Promise<string> {
  const told = await post(`/${String(id)}/outcome`, json, asked);
  expect(told.status, JSON.stringify(told.body)).toBe(200);
  return told.headers.get('consistency-token')!;
}

/** As often as asked, each told to be good or not; answers the last token. */
async function learn(model: string, count: number, succeeded: boolean, more: object = {}): Promise<string> {
  let token = '';
  for (let at = 0; at < count; at++) {
    // Whom it prefers it takes while little is known; what is known by now may be against that.
    const { body } = await post('', { ...bug, ...more, preferred_model: model });
    if (body['selected_model'] === model) token = await report(body['id'], { succeeded, costUsd: 0.02 });
  }
  return token;
}

describe('a model for a task', () => {
  it('is chosen as the seed has it, with what is known said honestly', async () => {
    const { status, body, headers } = await post('', bug);
    expect(status).toBe(200);
    expect(body).toEqual({
      ...{ id: expect.any(String), revision: 0 },
      selected_model: expect.stringMatching(/^(?:small|large)$/),
      confidence: expect.any(Number),
      routing_reason: expect.stringContaining('nothing recorded'),
      estimated_cost: body['selected_model'] === 'small' ? 0.028 : 0.28,
    });
    const token = headers.get('consistency-token')!;
    const seen = await side.get(`/autonomous/ai/route/${String(body['id'])}`, { 'Consistency-Token': token });
    expect(seen.body).toMatchObject({
      ...{ taskType: 'bug', complexity: 'medium', model: body['selected_model'], confidence: body['confidence'] },
      ...{ succeeded: null, candidates: [{ model: 'small' }, { model: 'large' }] },
    });
  });

  it('is the same one for the same request under a key, whatever was learned since', async () => {
    const headers = { 'Idempotency-Key': 'once' };
    const first = await post('', { ...bug, complexity: 'high' }, { headers });
    await report(first.body['id'], { succeeded: false });
    expect((await post('', { ...bug, complexity: 'high' }, { headers })).body).toEqual(first.body);
    expect(problemCode(await post('', { ...bug, complexity: 'low' }, { headers }))).toBe('idempotency-key-reused');
  });

  it('costs by the tokens that are told, or by the size of what comes along', async () => {
    const priced = async (context: object) =>
      (await post('', { ...bug, complexity: 'low', preferred_model: 'small', context })).body['estimated_cost'];
    expect(await priced({ input_tokens: 1_000_000, output_tokens: 200_000 })).toBe(2);
    const words = 'x'.repeat(40_000);
    expect(await priced({ prompt: words })).toBeCloseTo((10_003 * 1 + 1_000 * 5) / 1_000_000, 4);
  });

  it('is the one that was good, after some outcomes', async () => {
    await learn('small', 6, false);
    const token = await learn('large', 10, true);
    await side.get('/autonomous/ai/route', { 'Consistency-Token': token });
    const chosen = await Promise.all(Array.from({ length: 20 }, () => post('', bug)));
    const counts = chosen.filter(({ body }) => body['selected_model'] === 'large').length;
    expect(counts).toBeGreaterThan(16);
    const { body } = chosen.find((one) => one.body['selected_model'] === 'large')!;
    expect(body['confidence']).toBeGreaterThan(0.8);
    expect(body['routing_reason']).toMatch(/^\d+ of \d+ tries at its like were good, \$/);
    const { body: other } = await post('', { ...bug, preferred_model: 'huge' });
    expect(other['routing_reason']).toMatch(/^"huge" is not configured; /);
  });
});

describe('how it came out', () => {
  it('is told once', async () => {
    const { body } = await post('', bug);
    await report(body['id'], { succeeded: true });
    await report(body['id'], { succeeded: true });
    const again = await post(`/${String(body['id'])}/outcome`, { succeeded: false });
    expect([again.status, problemCode(again)]).toEqual([409, 'illegal-transition']);
  });

  it('of attempts at tasks is known from their events', async () => {
    const work = async (strategy: string, isGood: boolean, ends: 'complete' | 'pending') => {
      const [task, runId] = [newTaskStream(), newId()];
      const run = { taskId: streamId(task), runId };
      const complexity = { level: 'low', score: 7, reason: 'x' } as const;
      const claimed = { claimId: runId, agentId: newId(), runtime: 'command', repository: 'other', leaseSeconds: 9 };
      await side.append(task, createdTask({ title: 'Fix a crash', repository: 'other', complexity }));
      const requested = { ...run, repository: 'other', base: commitOf('a'), prompt: null, strategies: [strategy] };
      const attempt = { attempt: 1, strategy };
      const made = { commit: commitOf('b'), diffStat, diff: paper('1'), output: paper('2'), durationMs: 9 };
      const events: GenerationEvent[] = [
        { type: 'GenerationRequested', data: requested },
        { type: 'GenerationAttemptStarted', data: { ...run, ...attempt } },
        isGood
          ? { type: 'GenerationSucceeded', data: { ...run, ...attempt, ...made, costUsd: 0.01 } }
          : { type: 'GenerationAttemptFailed', data: { ...run, ...attempt, failure: failed('no'), costUsd: 0.02 } },
      ];
      const token = await side.append(streamName('generation', newId()), ...events);
      const ended = completed.data;
      const after = [
        { type: 'TaskClaimed', data: claimed },
        { type: 'TaskWorkSubmitted', data: { claimId: runId, commit: commitOf('b'), summary: null } },
        ...(ends === 'complete' ? [{ type: 'TaskCompleted', data: { ...ended, claimId: runId } }] : []),
      ];
      return [token, await side.append(task, ...after)].join(',');
    };
    const tokens = [
      await work('chat:large', true, 'complete'),
      await work('chat:small', false, 'complete'),
      // Nobody knows yet what becomes of it.
      await work('chat:small', true, 'pending'),
      await work(newId(), true, 'complete'),
    ];
    await side.get('/tasks', { 'Consistency-Token': tokens.join(',') });
    await side.get('/generations', { 'Consistency-Token': tokens.join(',') });
    const about = { taskType: null, title: 'Fix a crash', labels: [] };
    const tries = await modelTries(side.database.pool, 'low', ['other']);
    expect(tries.map(({ model, succeeded, costUsd, ...rest }) => ({ model, succeeded, costUsd, ...rest }))).toEqual([
      expect.objectContaining({ model: 'small', succeeded: false, costUsd: 0.02, ...about }),
      expect.objectContaining({ model: 'large', succeeded: true, costUsd: 0.01, ...about }),
    ]);
    expect(await modelTries(side.database.pool, 'low', ['shop'])).toEqual([]);
    const { body } = await post('', { ...bug, complexity: 'low', preferred_model: 'large' });
    expect(body['routing_reason']).toMatch(/1 of 1 tries at its like were good/);
  });
});

it('what a finished task tells of those to come holds what its evolution tried', async () => {
  const [task, runId] = [newTaskStream(), newId()];
  const run = { taskId: streamId(task), runId };
  const at = { ...run, generation: 1 };
  const plan = { metric: 'ms', candidates: 3, generations: 1, target: null, budgetUsd: null };
  const measured = { commit: commitOf('b'), metrics: { ms: 9 }, diffStat, diff: paper('1'), output: paper('2') };
  const events: EvolutionEvent[] = [
    {
      type: 'EvolutionStarted',
      data: {
        ...{ ...run, repository: 'shop', base: commitOf('a'), before: null, baseline: { ms: 5 } },
        plan: { ...plan, direction: 'minimize', patience: 1 },
      },
    },
    {
      type: 'EvolutionGenerationOpened',
      data: { ...at, parent: commitOf('a'), candidates: ['1-1', '1-2', '1-3'] },
    },
    { type: 'CandidateFailed', data: { ...at, candidate: '1-1', failure: failed('no'), costUsd: 0.02 } },
    { type: 'CandidateEvaluated', data: { ...at, ...measured, candidate: '1-2', costUsd: 0.02, durationMs: 9 } },
  ];
  await side.append(task, createdTask({ title: 'Faster', repository: 'shop' }));
  const evolved = await side.append(streamName('evolution', newId()), ...events);
  const claimed = { claimId: runId, agentId: newId(), runtime: 'command', repository: 'shop', leaseSeconds: 9 };
  const token = await side.append(
    task,
    { type: 'TaskClaimed', data: claimed },
    { type: 'TaskWorkSubmitted', data: { claimId: runId, commit: commitOf('b'), summary: null } },
    { type: 'TaskCompleted', data: { ...completed.data, claimId: runId } },
  );
  await side.get('/tasks', { 'Consistency-Token': token });
  await side.get('/evolutions', { 'Consistency-Token': evolved });
  const [found] = await finishedTasks(side.database.pool, 'shop', 10);
  expect(found).toMatchObject({ title: 'Faster', succeeded: true, candidates: 2, failed: 1, improved: false });
});

describe('a key that is limited to repositories', () => {
  it('asks for its own, sees its own, and is told nothing of others', async () => {
    const asked = await post('', bug, { key: limited });
    expect([asked.status, problemCode(asked)]).toEqual([422, 'unknown-repository']);
    const { body, headers } = await post('', { ...bug, context: { repository: 'shop' } }, { key: limited });
    expect(body['routing_reason']).toContain('nothing recorded');
    const token = headers.get('consistency-token')!;
    const seen = await side.get('/autonomous/ai/route', { 'Consistency-Token': token }, limited);
    expect(items(seen)).toMatchObject([{ id: body['id'], repository: 'shop' }]);
    const { body: others } = await post('', bug);
    const hidden = await side.get(`/autonomous/ai/route/${String(others['id'])}`, {}, limited);
    expect(hidden.status).toBe(404);
    const told = await post(`/${String(others['id'])}/outcome`, { succeeded: true }, { key: limited });
    expect(told.status).toBe(404);
  });
});

it.each([
  ['no complexity', { task_type: 'bug' }, 400, 'invalid-request'],
  ['an unknown complexity', { ...bug, complexity: 'huge' }, 400, 'invalid-request'],
  ['an unknown field', { ...bug, model: 'small' }, 400, 'invalid-request'],
  ['tokens that are none', { ...bug, context: { input_tokens: -1 } }, 400, 'invalid-request'],
  ['an unknown repository', { ...bug, context: { repository: 'nowhere' } }, 422, 'unknown-repository'],
])('%s is refused, and nothing is written', async (_, json, status, code) => {
  const before = await side.log.head();
  const told = await post('', json);
  expect([told.status, problemCode(told)]).toEqual([status, code]);
  expect(await side.log.head()).toBe(before);
});
