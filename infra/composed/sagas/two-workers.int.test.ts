import { rm } from 'node:fs/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { describeWithKafka } from '../../testing/servers/kafka.ts';
import { until } from '../../testing/processes/until.ts';
import { createWorkshop, type Workshop } from '../../testing/repository/workshop.ts';
import { type Worker, startSystemAround, type SystemAround } from './testing.ts';

// A worker that is killed is noticed after some seconds, by Kafka and by the others.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });

let workshop: Workshop;
let system: SystemAround;

beforeEach(async () => {
  workshop = await createWorkshop();
  const [repository] = workshop.settings.repositories ?? [];
  const [agent] = workshop.settings.agents ?? [];
  system = await startSystemAround({
    repositories: [{ ...repository!, evolve: null, evaluate: null }],
    agents: [{ ...agent!, command: [...(agent?.command ?? []), 'leave-trace'] }],
  });
});
afterEach(async () => {
  await system.dispose();
  await workshop.dispose();
});

async function createTask(): Promise<string> {
  const taskId = newId();
  await system.send({ type: 'task.create', target: taskId, data: { title: 'Work', repository: 'sample' } });
  return taskId;
}

/** Waits until so many have come to the point. @returns the process of the last one */
const visitor = (point: string, visits = 1): Promise<number> =>
  until(
    `somebody at ${point}`,
    async () => {
      const pids = (await workshop.notes()).filter((note) => note.what === 'reached' && note.point === point);
      return pids.length >= visits && pids[visits - 1]?.pid;
    },
    120,
  );

const branches = (): Promise<string> => workshop.git('for-each-ref', '--format=%(refname)', 'refs/heads');
const results = (): Promise<string> => workshop.git('for-each-ref', '--format=%(refname)', 'refs/workledger');

const KEPT = /^refs\/workledger\/\S+\/generate-1-1-[0-9a-f]{12}\nrefs\/workledger\/\S+\/published-[0-9a-f]{12}$/;

async function whoRuns(pid: number, workers: readonly Worker[]): Promise<[Worker, Worker]> {
  const [one, other] = workers;
  if (one === undefined || other === undefined) throw new Error('there are two workers');
  return one.runs(pid) ? [one, other] : [other, one];
}

describeWithKafka('two saga workers with data folders of their own', () => {
  it('hand over commits, never folders: one generates, the other validates and merges', async () => {
    await workshop.hold('generate-1-1', 'publish', 'test');
    const taskId = await createTask();
    const first = await system.startWorker();
    expect(first.runs(await visitor('generate-1-1'))).toBe(true);
    await workshop.release('generate-1-1');
    await visitor('publish');
    await first.stop();
    await rm(first.dataFolder, { recursive: true });
    expect(await results()).toMatch(/\/generate-1-1-[0-9a-f]{12}/);

    const second = await system.startWorker();
    await workshop.release('publish');
    expect(second.runs(await visitor('test'))).toBe(true);
    await workshop.release('test');
    await system.untilTask(taskId, 'TaskCompleted');
    expect(await workshop.starts()).toEqual({ 'generate-1-1': 1 });
    expect(JSON.parse(await workshop.git('show', 'main:work.json'))).toMatchObject({ by: 'generate-1-1' });
    // What was paid for stays reachable until its retention ends.
    expect(await results()).toMatch(KEPT);
  });

  it('take over what a killed one had begun, and nothing half-done gets into the result', async () => {
    const workers = [await system.startWorker(), await system.startWorker()];
    await workshop.hold('generate-1-1');
    const taskId = await createTask();
    const begun = await visitor('generate-1-1');
    const [killed, other] = await whoRuns(begun, workers);
    await killed.kill9();
    const again = await visitor('generate-1-1', 2);
    expect(other.runs(again)).toBe(true);
    // The half-done work was on this machine: it was ended before the call began again.
    expect(await workshop.alive('generate-1-1')).toEqual([again]);
    await workshop.release('generate-1-1');
    await system.untilTask(taskId, 'TaskCompleted');
    const files = (await workshop.git('ls-tree', '--name-only', 'main')).split('\n');
    expect(files.filter((name) => name.startsWith('started-by-'))).toEqual([`started-by-${again}`]);
  });

  it('undo what another one did: the branch goes after it was killed, and what was paid for stays', async () => {
    await workshop.hold('test');
    const taskId = await createTask();
    const first = await system.startWorker();
    const tests = await visitor('test');
    expect(await branches()).toContain(`refs/heads/workledger/${taskId}`);
    await first.kill9();
    await system.send({ type: 'task.cancel', target: taskId, data: { reason: 'enough' } });
    const saga = await system.runOf(taskId);
    await system.startWorker();
    await until('the end of the run', async () => (await system.typesOf(saga)).includes('SagaEnded'), 120);
    expect(await branches()).toBe('refs/heads/main');
    expect(await results()).toMatch(KEPT);
    expect(await workshop.alive()).not.toContain(tests);
  });
});
