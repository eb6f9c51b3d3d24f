import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DomainEvent } from '@workledger/shared/contexts/define-events.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { dependenciesStream } from '@workledger/shared/contexts/task/dependencies/events.ts';
import type { ArtefactReference } from '@workledger/shared/contexts/values.ts';
import { createdTask } from '../../testing/events/task-events.ts';
import { items, startReadSide, type ReadSide } from './testing.ts';

/** What was done for one task, and every artefact of it. */
type Work = {
  readonly task: string;
  readonly run: string;
  readonly generation: string;
  readonly evolution: string;
  readonly validation: string;
  readonly artefacts: readonly ArtefactReference[];
};

let side: ReadSide;
let mine: Work;
let theirs: Work;
let nobodys: Work;
let shared: ArtefactReference;
const keys: Record<string, string> = {};
const tokens: string[] = [];
const agentId = newId();
const free = { mine: newId(), theirs: newId() };

async function append(stream: string, ...events: DomainEvent[]): Promise<void> {
  tokens.push(await side.append(stream, ...events));
}

async function work(repository: string | null): Promise<Work> {
  const put = (what: string) => side.artefacts.put(Buffer.from(`${what} of ${repository}`), 'text/plain');
  const [prompt, diff, output, report, log] = await Promise.all(['prompt', 'diff', 'output', 'report', 'log'].map(put));
  const [task, run, generation, evolution, validation] = Array.from({ length: 5 }, newId) as [
    string,
    string,
    string,
    string,
    string,
  ];
  const what = { taskId: task, runId: run };
  const base = 'a'.repeat(40);
  const named = repository ?? 'none';
  await append(
    streamName('task', task),
    createdTask({ title: `of ${repository}`, repository, capabilities: ['code'] }),
    { type: 'TaskClaimed', data: { claimId: run, agentId, runtime: 'remote', repository, leaseSeconds: 60 } },
    { type: 'TaskSentBack', data: { claimId: run, reason: 'red', report: shared } },
  );
  const call = { kind: 'call', key: 'generate/1/1/work', component: 'code.work', request: {}, timeoutSeconds: 9 };
  const source = { stream: streamName('task', task), revision: 1, eventId: newId() };
  await append(
    streamName('saga-code-evolution', run),
    { type: 'SagaInputReceived', data: { source, type: 'TaskClaimed', data: {} } },
    { type: 'SagaStepChanged', data: { step: 'generate', round: 1, attempt: 1, state: 'started', detail: {} } },
    { type: 'SagaEffectRequested', data: { effect: call } },
    { type: 'SagaEffectSucceeded', data: { key: call.key, result: { prompt, exitCode: 0 } } },
  );
  const asked = { ...what, repository: named, base, prompt: null, strategies: ['one'] };
  const made = { diffStat: { files: 1, insertions: 1, deletions: 0 }, diff, output, costUsd: null, durationMs: 1 };
  const attempt = { ...what, attempt: 1, strategy: 'one' };
  await append(
    streamName('generation', generation),
    { type: 'GenerationRequested', data: asked },
    { type: 'GenerationAttemptStarted', data: attempt },
    { type: 'GenerationSucceeded', data: { ...attempt, ...made, commit: base } },
  );
  const plan = { metric: 'm', direction: 'minimize', candidates: 1, generations: 1 };
  const limits = { target: null, budgetUsd: null, patience: 1 };
  await append(
    streamName('evolution', evolution),
    {
      type: 'EvolutionStarted',
      data: { ...what, repository: named, base, before: null, baseline: { m: 1 }, plan: { ...plan, ...limits } },
    },
    {
      type: 'EvolutionFailed',
      data: {
        ...what,
        failure: { step: 'evolve', reason: 'no', command: null, exitCode: null, lastLines: [], log },
      },
    },
  );
  await append(
    streamName('validation', validation),
    { type: 'ValidationRequested', data: { ...what, repository: named, commit: base, base, sendBackAllowed: false } },
    { type: 'ValidationPassed', data: { ...what, report, protectedChanges: [] } },
  );
  await append(
    streamName('merge-queue', newId()),
    { type: 'MergeQueued', data: { ...what, repository: named, baseBranch: 'main' } },
    { type: 'MergeTurnBegan', data: what },
  );
  return { task, run, generation, evolution, validation, artefacts: [prompt!, diff!, output!, report!, log!] };
}

beforeAll(async () => {
  side = await startReadSide();
  side.startProjections();
  shared = await side.artefacts.put(Buffer.from('the same for all'), 'text/plain');
  [mine, theirs, nobodys] = [await work('mine'), await work('theirs'), await work(null)];
  const waiting = newId();
  await append(streamName('task', waiting), createdTask({ title: 'waiting', repository: 'theirs' }));
  await append(dependenciesStream('theirs'), {
    type: 'DependencyAdded',
    data: { taskId: waiting, dependsOn: theirs.task },
  });
  for (const [repository, id] of Object.entries(free))
    await append(streamName('task', id), createdTask({ title: 'free', repository }));
  const agent = { name: 'a', kind: 'worker', runtime: 'remote', capabilities: [], capacity: 2, coordinatorId: null };
  await append(streamName('agent', agentId), { type: 'AgentRegistered', data: agent });
  const repositories = ['mine'];
  keys['viewer'] = await side.key('viewer', { repositories });
  keys['agent'] = await side.key('agent', { agentId, repositories });
  keys['operator'] = await side.key('operator', { repositories });
  keys['both'] = await side.key('viewer', { repositories: ['mine', 'theirs'] });
  keys['all'] = await side.key('viewer');
  const token = { 'Consistency-Token': tokens.join(',') };
  for (const list of ['tasks', 'pipelines', 'generations', 'evolutions', 'validations', 'merge-queues', 'agents'])
    expect((await side.get(`/${list}`, token)).status).toBe(200);
});
afterAll(() => side.close());

const paths = ({ task, run, generation, evolution, validation, artefacts }: Work): string[] => [
  `/tasks/${task}`,
  `/pipelines/${run}`,
  `/generations/${generation}`,
  `/evolutions/${evolution}`,
  `/validations/${validation}`,
  `/merge-queues/${run}`,
  ...artefacts.map(({ digest }) => `/artefacts/${digest}`),
];
const statuses = async (work: Work, key: string | undefined): Promise<number[]> => {
  const told: number[] = [];
  for (const path of paths(work)) told.push((await side.get(path, {}, key)).status);
  return told;
};
const all = (status: number): number[] => paths(mine).map(() => status);

describe.each(['viewer', 'agent', 'operator'])('a key of role %s that is limited to a repository', (role) => {
  it('reads what was done for its tasks, with every artefact', async () => {
    expect(await statuses(mine, keys[role])).toEqual(all(200));
  });

  it('finds nothing of others, nor of tasks of no repository, as if it were not there', async () => {
    expect(await statuses(theirs, keys[role])).toEqual(all(404));
    expect(await statuses(nobodys, keys[role])).toEqual(all(404));
  });

  it('reads an artefact that one of its tasks names, too', async () => {
    expect((await side.get(`/artefacts/${shared.digest}`, {}, keys[role])).status).toBe(200);
  });

  it('sees its own in lists, whatever it asks for', async () => {
    const ids = async (path: string) => items(await side.get(path, {}, keys[role])).map(({ id }) => id);
    expect(await ids('/tasks')).toEqual([free.mine, mine.task]);
    expect(await ids('/tasks?repository=theirs')).toEqual([]);
    expect(await ids(`/tasks?neededBy=${theirs.task}`)).toEqual([]);
    for (const [resource, own] of [
      ['pipelines', mine.run],
      ['generations', mine.generation],
      ['evolutions', mine.evolution],
      ['validations', mine.validation],
      ['merge-queues', mine.run],
    ]) {
      expect(await ids(`/${resource}`)).toEqual([own]);
      expect(await ids(`/${resource}?taskId=${theirs.task}`)).toEqual([]);
    }
  });

  it('is given no task of others to choose from', async () => {
    const told = await side.get('/tasks/next', {}, keys[role]);
    expect(items(told).map(({ taskId }) => taskId)).toEqual([free.mine]);
  });

  it('is refused where all is told, or nothing that belongs to a repository', async () => {
    for (const path of ['/agents', '/parked', '/keys', '/events', `/streams/task-${mine.task}`, '/webhooks/deliveries'])
      expect([path, (await side.get(path, {}, keys[role])).status]).toEqual([path, 403]);
  });
});

it('an agent reads itself, and no other', async () => {
  expect((await side.get(`/agents/${agentId}`, {}, keys['agent'])).status).toBe(200);
  expect((await side.get(`/agents/${agentId}`, {}, keys['viewer'])).status).toBe(404);
  expect((await side.get(`/agents/${newId()}`, {}, keys['agent'])).status).toBe(404);
});

it('a key of several repositories reads them all, and one that is not limited everything', async () => {
  expect([await statuses(mine, keys['both']), await statuses(theirs, keys['both'])]).toEqual([all(200), all(200)]);
  expect(await statuses(nobodys, keys['both'])).toEqual(all(404));
  expect(await statuses(nobodys, keys['all'])).toEqual(all(200));
  expect(items(await side.get('/tasks/next', {}, keys['both']))).toHaveLength(2);
  expect(items(await side.get('/tasks', {}, keys['all']))).toHaveLength(6);
});
