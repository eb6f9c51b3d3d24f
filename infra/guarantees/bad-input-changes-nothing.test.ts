import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { ofTheClock } from './harness/timers.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { query } from '../testing/servers/database.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Known } from './harness/bad-request.ts';
import { badFrames, VERSION } from './harness/bad-documents.ts';
import { badRequests } from './harness/bad-requests.ts';
import type { Answer } from '@workledger/shared/client/client.ts';
import type { RunningSystem } from '../testing/system/engine.ts';
import { engines } from '../testing/system/engines.ts';
import {
  createGithubSide,
  deliver,
  labeledIssue,
  REPOSITORY,
  SENDER,
  type GithubSide,
} from '../testing/system/github.ts';
import { openSocket } from '../testing/system/live.ts';
import { until } from '../testing/processes/until.ts';
import { untilQuiet } from '../testing/system/logs.ts';

const PROTOCOL = '/collaborative/protocol';
const PROBLEMS = 'https://workledger.dev/problems/';

describe.each(engines)('bad input changes nothing, $name', (engine) => {
  let github: GithubSide;
  let system: RunningSystem;
  let log: EventLog;
  let known: Known;
  beforeAll(async () => {
    github = await createGithubSide();
    const repository = { name: 'sample', url: 'nowhere', test: ['true'], github: REPOSITORY, trusted: [SENDER] };
    // Nobody beats for the agent of this test: it must not be disconnected meanwhile.
    system = await engine.start(
      { ...github.settings, repositories: [repository], heartbeatSeconds: 3_600 },
      { storage: 'shared' },
    );
    log = await system.openLog();
    known = await prepare();
    await untilQuiet(log, engine.calmMilliseconds);
  });
  afterAll(async () => {
    await log.close();
    await system.dispose();
    await github.dispose();
  });

  const create = (path: string, body: object) => system.client.expect2xx('POST', path, { body });
  const addDependency = (id: string, dependsOn: string) =>
    system.client.send('POST', `/tasks/${id}/dependencies`, { body: { dependsOn } });

  async function prepare(): Promise<Known> {
    const { id: agentId } = await create('/agents', { name: 'one', capacity: 5 });
    const { id: task } = await create('/tasks', { title: 'pending' });
    const { id: claimed } = await create('/tasks', { title: 'claimed' });
    const claim = await create(`/tasks/${claimed}/claim`, { agentId });
    const { id: cancelled } = await create('/tasks', { title: 'cancelled' });
    await create(`/tasks/${cancelled}/cancel`, {});
    const { id: waiting } = await create('/tasks', { title: 'waits', dependencies: [task] });
    const { id: issue } = await create('/issues', { title: 'slow' });
    const steps = [{ kind: 'timer', id: 'a', seconds: 86_400 }];
    const { id: workflow } = await create('/workflows', { name: 'x', inputs: { n: { type: 'integer' } }, steps });
    const [run, ended] = await Promise.all(
      [1, 2].map(async (n) => (await create(`/workflows/${workflow}/runs`, { inputs: { n } })).id),
    );
    await create(`/workflow-runs/${ended}/cancel`, {});
    await until('the run to end', async () =>
      (await system.client.stream(`workflow-run-${ended}`)).some(({ type }) => type === 'WorkflowRunCancelled'),
    );
    await system.client.expect2xx('POST', '/tasks', { body: { title: 'one' }, idempotencyKey: 'used' });
    const keyOf = async (role: string) => String((await create('/keys', { name: role, role })).body['key']);
    const [viewer, auditor, operator] = [await keyOf('viewer'), await keyOf('auditor'), await keyOf('operator')];
    const service = await keyOf('service');
    const claimId = String(claim.body['claimId']);
    const document = await prepareDocument();
    const handed = await prepareDispatch(agentId);
    const work = { task, claimed, claimId, cancelled, waiting, issue, workflow, run: run!, ended: ended! };
    return { agentId, ...work, document, ...handed, viewer, auditor, operator, service };
  }
  /** So much of it is replaced that its first version is too far back. */
  async function prepareDocument(): Promise<string> {
    const { id } = await create('/documents', { name: 'shared', body: { x: 1 } });
    for (let base = 0; base < VERSION; base++) {
      const change = { base, merge: { filler: String(base).repeat(120_000) } };
      await system.client.expect2xx('PATCH', `/documents/${id}`, { body: change });
    }
    return id;
  }
  async function prepareDispatch(agentId: string): Promise<Pick<Known, 'dispatch' | 'deliveryId' | 'agentKey'>> {
    const { body: made } = await create('/keys', { name: 'agent', role: 'agent', agentId });
    const agentKey = String(made['key']);
    const message = { type: 'work.wanted', guarantee: 'at-least-once', payload: 1 };
    const { id: dispatch } = await create(PROTOCOL, { ...message, target_services: [`agent:${agentId}`] });
    const asked = { waitSeconds: 20, visibilitySeconds: 3_600 };
    const received = await system.client.expect2xx('POST', `${PROTOCOL}/receive`, { body: asked, key: agentKey });
    const [item] = received.body['items'] as readonly { deliveryId: string }[];
    return { dispatch, deliveryId: item!.deliveryId, agentKey };
  }

  /** Types of what was appended. */
  async function appendedAfter(position: bigint): Promise<string[]> {
    const types: string[] = [];
    for await (const event of log.readAll({ after: position })) if (!ofTheClock(event)) types.push(event.type);
    return types;
  }

  /** The problem, told as RFC 9457 has it and without a word of our insides. */
  function expectProblem(answer: Answer, status: number, code: string): void {
    expect([answer.status, answer.body['type']]).toEqual([status, PROBLEMS + code]);
    expect(answer.headers.get('Content-Type')).toBe('application/problem+json');
    expect(answer.body).toMatchObject({
      status,
      title: expect.any(String),
      correlationId: answer.headers.get('X-Correlation-Id'),
    });
    expect(JSON.stringify(answer.body)).not.toMatch(/\n\s+at |node_modules|\.ts\b|select |insert /);
  }

  test.each(badRequests)('$name', async ({ request, status, code }) => {
    const { method, path, call } = request(known);
    const before = await log.head();
    expectProblem(await system.client.send(method, path, call), status, code);
    expect(await appendedAfter(before)).toEqual([]);
  });

  test.each(badFrames)('on a line: $name', async ({ frame, answer: { type, status, code } }) => {
    const before = await log.head();
    const line = await openSocket(system.client.urlOf('/collaborative/sync'), known.operator);
    line.say(frame(known));
    const told = await until('an answer', () =>
      line.frames.find((one) => !['hello', 'alive'].includes(String(one['type']))),
    );
    line.close();
    expect(told).toMatchObject({ type, problem: { status, type: PROBLEMS + code } });
    expect(await appendedAfter(before)).toEqual([]);
  });

  test('nothing was kept beside the log either', async () => {
    expect(await query(await system.databaseUrl(), 'select digest from artefacts.artefacts')).toEqual([]);
  });

  test('two dependencies at once that would close a cycle together: one is refused', async () => {
    const rounds: string[][] = [];
    for (let round = 0; round < 10; round++) {
      const tasks = await Promise.all(['a', 'b', 'c'].map(async (title) => (await create('/tasks', { title })).id));
      await addDependency(tasks[1]!, tasks[2]!);
      rounds.push(tasks);
    }
    const before = await untilQuiet(log, engine.calmMilliseconds);
    for (const [a, b, c] of rounds) {
      const answers = await Promise.all([addDependency(a!, b!), addDependency(c!, a!)]);
      const refused = answers.find(({ status }) => status !== 200);
      expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409]);
      expectProblem(refused!, 409, 'dependency-cycle');
    }
    await untilQuiet(log, engine.calmMilliseconds);
    const added = await appendedAfter(before);
    expect(added, 'one edge was added each time').toEqual(rounds.map(() => 'DependencyAdded'));
  });

  test('a batch: what is bad in it changes nothing, and is told beside what is good', async () => {
    const before = await untilQuiet(log, engine.calmMilliseconds);
    const { status, body } = await system.client.send('POST', '/commands', {
      body: {
        commands: [
          { type: 'task.change', target: newId(), data: { title: 'x' } },
          { type: 'task.create', data: { title: 'x', titel: 'y' } },
          { type: 'task.retry', target: known.task, data: {} },
          { type: 'task.create', data: { title: 'good' } },
        ],
      },
    });
    const results = body['results'] as { status: number; problem?: { type: string } }[];
    expect(status).toBe(200);
    expect(results.map((result) => [result.status, result.problem?.type.replace(PROBLEMS, '')])).toEqual([
      [404, 'not-found'],
      [400, 'invalid-request'],
      [409, 'illegal-transition'],
      [201, undefined],
    ]);
    const appended: string[] = [];
    for await (const { type } of log.readAll({ after: before, streams: ['task', 'dependencies', 'agent', 'key'] }))
      appended.push(type);
    expect(appended).toEqual(['TaskCreated']);
  });

  test('a delivery that comes again: 200 with the first receipt, nothing appended', async () => {
    const delivery = labeledIssue(3);
    const first = await deliver(system.client, delivery);
    expect(first.status).toBe(202);
    const before = await untilQuiet(log, engine.calmMilliseconds);
    const again = await deliver(system.client, delivery);
    expect([again.status, again.body]).toMatchObject([200, { ...first.body, redelivery: true }]);
    expect(await appendedAfter(before)).toEqual([]);
  });
});
