import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemFolder, type SystemFolder } from '../testing/processes/folder.ts';
import { until, untilTrue } from '../testing/processes/until.ts';
import { createWorkshop, type Workshop } from '../testing/repository/workshop.ts';
import { runGuide } from '../testing/system/guide.ts';
import { startInFolder, type RunningSystem } from '../testing/system/in-folder.ts';
import { listen } from '../testing/system/live.ts';
import { chainOf, countEnded, fanOf } from '../testing/system/workflows.ts';

type Step = {
  readonly step: string;
  readonly state: string;
  readonly round: number;
  readonly result: unknown;
  readonly failure: { readonly reason: string } | null;
};
type Run = {
  readonly state: string;
  readonly outputs: unknown;
  readonly retries: number;
  readonly steps: readonly Step[];
};
type Asked = { readonly method: string; readonly body: string; readonly headers: IncomingHttpHeaders };

let folder: SystemFolder;
let system: RunningSystem;
let server: Server;
let workshop: Workshop;
let configuration: Record<string, unknown>;
const asked: Asked[] = [];

beforeAll(async () => {
  folder = await systemFolder();
  server = createServer((request, response) => {
    void (async () => {
      let body = '';
      for await (const part of request) body += String(part);
      asked.push({ method: request.method ?? '', body, headers: request.headers });
      // The first answer is lost.
      response.writeHead(asked.length === 1 ? 503 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ price: 20 }));
    })();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  workshop = await createWorkshop();
  // What an agent wrote is validated and merged, without a search for something better.
  const repositories = workshop.settings.repositories?.map(({ evolve: _, evaluate: __, ...plain }) => plain);
  configuration = {
    ...workshop.settings,
    repositories,
    workflows: { allowHosts: [host] },
    outbound: { privateHosts: [host] },
  };
  system = await startInFolder(folder.path, configuration);
}, 60_000);
afterAll(async () => {
  server.close();
  await folder.remove();
  await workshop.dispose();
});

const make = async (path: string, body: object): Promise<string> =>
  String((await system.client.expect2xx('POST', path, { body })).body['id']);
const read = async (id: string): Promise<Run> =>
  (await system.client.expect2xx('GET', `/workflow-runs/${id}`)).body as unknown as Run;
const ended = (id: string, retries = 0): Promise<Run> =>
  until(`run ${id} to end`, async () => {
    const run = await read(id);
    return run.retries === retries && ['completed', 'failed', 'cancelled'].includes(run.state) && run;
  });

const idIn = (step: Step | undefined): string => (step?.result as { readonly id: string }).id;

test('a run calls a server once under one key, runs another workflow, and is told of an event that came before it waited', async () => {
  const { port } = server.address() as AddressInfo;
  const child = await make('/workflows', {
    name: 'price',
    inputs: { count: { type: 'integer' } },
    steps: [
      {
        ...{ kind: 'call', id: 'ask', component: 'http.request', retry: { attempts: 3, backoffSeconds: 0.1 } },
        request: { url: `http://127.0.0.1:${port}/prices`, body: { count: { $from: '/inputs/count' } } },
      },
    ],
    outputs: { total: { $cel: 'steps.ask.result.body.price * inputs.count' } },
  });
  const task = { $from: '/steps/task/result/id' };
  const parent = await make('/workflows', {
    name: 'order',
    steps: [
      { kind: 'workflow', id: 'price', workflow: child, inputs: { count: 3 } },
      { kind: 'command', id: 'other', after: ['price'], command: 'task.create', data: { title: 'other' } },
      { kind: 'command', id: 'task', after: ['other'], command: 'task.create', data: { title: 'order' } },
      { kind: 'command', id: 'cancel', after: ['task'], command: 'task.cancel', target: task },
      { kind: 'wait', id: 'gone', after: ['cancel'], events: ['workledger.task.TaskCancelled'], of: task },
      {
        ...{ kind: 'wait', id: 'any', after: ['gone'], events: ['workledger.task.TaskCreated'] },
        where: [{ field: '/title', equals: 'order' }],
      },
    ],
    outputs: { total: { $from: '/steps/price/result/total' }, seen: { $from: '/steps/gone/result/type' }, first: { $cel: 'steps.any.result.stream == "task-" + steps.task.result.id' } }, // prettier-ignore
  });
  const run = await ended(await make(`/workflows/${parent}/runs`, {}));
  expect(run).toMatchObject({ state: 'completed', outputs: { total: 60, seen: 'TaskCancelled', first: true } });
  expect(asked.map(({ method, body }) => [method, JSON.parse(body)])).toEqual(asked.map(() => ['POST', { count: 3 }]));
  expect(new Set(asked.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);

  const stray = await make('/workflows', {
    name: 'stray',
    steps: [
      { kind: 'command', id: 'kept', command: 'task.create', data: { title: 'kept' } },
      { kind: 'command', id: 'task', after: ['kept'], command: 'task.create', data: { title: 'stray' }, compensation: { kind: 'command', command: 'task.cancel', target: task } }, // prettier-ignore
      {
        kind: 'call',
        id: 'ask',
        after: ['task'],
        component: 'http.request',
        request: { url: { $cel: '"https://example.org/"' } },
      },
    ],
  });
  const strayRun = await make(`/workflows/${stray}/runs`, {});
  const failed = await ended(strayRun);
  const [, made, ask] = failed.steps;
  expect(failed.steps.map(({ step, state }) => `${step} ${state}`)).toEqual([
    ...['kept succeeded', 'task compensated', 'ask failed'],
  ]);
  expect(ask?.failure?.reason).toContain('none of the hosts that workflows may call');
  expect((await system.client.expect2xx('GET', `/tasks/${idIn(made)}`)).body['state']).toBe('cancelled');
  const roundsAfter = async (retries: number, body: object): Promise<string[]> => {
    await system.client.expect2xx('POST', `/workflow-runs/${strayRun}/retry`, { body });
    return (await ended(strayRun, retries)).steps.map(({ step, round }) => `${step} ${round}`).toSorted();
  };
  expect(await roundsAfter(1, {})).toEqual(['ask 2', 'kept 1', 'task 2']);
  expect(await roundsAfter(2, { from: ['kept'] })).toEqual(['ask 3', 'kept 2', 'task 3']);
}, 120_000);

test('the template code-evolution is complete when its task is merged, fails with it, makes another one when it is taken up again, and cancels that with itself', async () => {
  const { client } = system;
  const workflow = await make('/workflow-templates/code-evolution', { name: 'From words to code' });
  const start = (title: string): Promise<string> =>
    make(`/workflows/${workflow}/runs`, { inputs: { title, repository: 'sample' } });
  const stateOf = async (taskId: string): Promise<unknown> =>
    (await client.expect2xx('GET', `/tasks/${taskId}`)).body['state'];
  const merged = await ended(await start('Cheaper'));
  const taskId = idIn(merged.steps[0]);
  expect(merged).toMatchObject({ state: 'completed', outputs: { taskId, end: { result: { merged: true } } } });
  expect(await workshop.git('show', 'main:work.json')).not.toContain('nobody');
  for await (const { id } of client.list<{ id: string }>(`/pipelines?taskId=${taskId}`))
    expect((await client.expect2xx('GET', `/pipelines/${id}`)).body).toMatchObject({ taskId, state: 'completed' });

  await workshop.breakWork();
  const broken = await start('Broken');
  const failed = await ended(broken);
  const lost = idIn(failed.steps[0]);
  expect(failed).toMatchObject({ state: 'failed', steps: [{ state: 'compensated' }, { state: 'failed' }] });
  expect(failed.steps[1]?.failure?.reason).toContain(`TaskFailed of task-${lost}`);

  await workshop.hold('generate-1-1');
  const held = await workshop.visits('generate-1-1');
  await client.expect2xx('POST', `/workflow-runs/${broken}/retry`, { body: {} });
  await untilTrue(async () => (await workshop.visits('generate-1-1')) > held);
  // A run that is paused holds no pipeline.
  await client.expect2xx('POST', `/workflow-runs/${broken}/pause`, { body: {} });
  const { steps } = await read(broken);
  const another = idIn(steps[0]);
  expect(another).not.toBe(lost);
  expect(await stateOf(another)).not.toBe('cancelled');
  await client.expect2xx('POST', `/workflow-runs/${broken}/cancel`, { body: {} });
  await workshop.release('generate-1-1');
  expect(await ended(broken, 1)).toMatchObject({ state: 'cancelled' });
  expect([await stateOf(lost), await stateOf(another)]).toEqual(['cancelled', 'cancelled']);
}, 180_000);

test('a run among agents tells one of them, and is followed live; a version is written by whoever knows the one before', async () => {
  const { client, url, key } = system;
  const agentId = await make('/agents', { name: 'one' });
  const {
    id,
    token,
    body: begun,
  } = await client.expect2xx('POST', '/collaborative/mcp', {
    body: {
      workflow_definition: {
        name: 'among agents',
        steps: [
          { kind: 'approval', id: 'rest', askee: { kind: 'role', role: 'admin' }, text: 'Begin?' },
          {
            ...{ kind: 'command', id: 'tell', after: ['rest'], command: 'message.send' },
            data: {
              to: { kind: 'participant', participant: { $from: '/inputs/participants/0' } },
              subject: { $from: '/inputs/subject' },
            },
          },
        ],
      },
      context: { subject: 'Begin' },
      participants: [agentId],
    },
  });
  const workflowId = String(begun['workflowId']);
  // Who may follow it is looked up among runs that are there to be read.
  await client.expect2xx('GET', `/workflow-runs/${id}`, { token });
  const line = await listen(url, key, `workflow-run:${id}`);
  const questionId = await until('the question', async () => {
    for await (const { id } of client.list<{ id: string }>('/questions?state=open')) return id;
    return null;
  });
  await client.expect2xx('POST', `/questions/${questionId}/answer`, { body: { choice: 'approve' } });
  await line.until(({ event }) => event === 'WorkflowRunCompleted');
  line.close();
  const steps = line.events.flatMap(({ event, data }) => {
    const { step, state } = (data['data'] ?? {}) as Partial<Step>;
    return event === 'step' ? [`${step} ${state}`] : [];
  });
  expect(steps).toEqual(expect.arrayContaining(['rest succeeded', 'tell started', 'tell succeeded']));
  expect(steps).toHaveLength(new Set(steps).size);
  const told = (await read(id)).steps.find(({ step }) => step === 'tell')?.result as { readonly id: string };
  const to = { kind: 'participant', participant: `agent:${agentId}` };
  expect((await client.stream(`message-${told.id}`)).map(({ data }) => data)).toMatchObject([{ to, subject: 'Begin' }]);

  const path = `/collaborative/workflows/${workflowId}`;
  const body = { name: 'among agents', steps: [{ kind: 'timer', id: 'rest', seconds: 0 }] };
  const { revision } = await client.expect2xx('PUT', path, { body, ifMatch: 0 });
  expect((await client.send('PUT', path, { body, ifMatch: 0 })).status).toBe(412);
  expect((await client.expect2xx('GET', path, { token: `workflow-${workflowId}@${revision}` })).body).toMatchObject({
    ...{ version: 2, definition: body, state: 'active' },
  });
  await client.expect2xx('DELETE', path);
  expect((await client.send('POST', `/workflows/${workflowId}/runs`, { body: {} })).status).toBe(409);
}, 60_000);

test('the guide to workflows, by its own lines; and runs of many steps, and many runs, go on after kill -9: every step takes effect once', async () => {
  const environment = { WORKLEDGER: system.url, KEY: system.key };
  const { code, output } = await runGuide('workflows.md', { cwd: folder.path, environment });
  expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('remark succeeded') });
  expect(output).toContain('/steps/0/after: these steps wait for one another: a → b → a');

  const long = await make('/workflows', chainOf(40));
  const wide = await make('/workflows', fanOf(4));
  const first = await make(`/workflows/${long}/runs`, { inputs: { label: 'long' } });
  for (let count = 0; count < 30; count++)
    await make(`/workflows/${wide}/runs`, { inputs: { label: `wide ${count}` } });
  // Some are done, some are under way, some have not begun.
  system.program.signal('SIGKILL');
  await system.program.ended;
  system = await startInFolder(folder.path, configuration);
  const counts = async () => [await countEnded(system.client, long), await countEnded(system.client, wide)];
  await untilTrue(async () => (await counts()).join() === '1,30', 200);

  const { steps } = await read(first);
  expect(steps.map(({ state, round }) => `${state} ${round}`)).toEqual(Array(40).fill('succeeded 1'));
  const titles: string[] = [];
  for await (const { title } of system.client.list<{ title: string }>('/tasks?label=by-workflow')) titles.push(title);
  const expected = [
    ...Array.from({ length: 20 }, (_, number) => `long ${2 * number}`),
    ...Array.from({ length: 30 }, (_, run) => [0, 1, 2, 3].map((number) => `wide ${run} ${number}`)).flat(),
  ];
  expect(titles.toSorted()).toEqual(expected.toSorted());
  expect(await system.stop()).toBe(0);
}, 300_000);
