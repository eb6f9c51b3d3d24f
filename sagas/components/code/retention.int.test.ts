import { execFileSync } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { git } from '@workledger/infra/testing/repository/git.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { createOutages } from '@workledger/shared/resilience/outages/outages.ts';
import { SECRET, serveRunner } from '../../runner/testing.ts';
import { componentNamed, createPerformer, createRemoteComponents, type Performer } from '../catalogue.ts';
import { createCodeWorld } from '../testing.ts';
import { forgetResults, taskEnd } from './retention.ts';

const DAY = 86_400_000;
const nothing = { put: () => Promise.reject(new Error('keeps nothing')), get: () => Promise.resolve(null) };
const daysAgo = (days: number): Date => new Date(Date.now() - days * DAY);

/** A pass over an origin, by the components of a world; who was asked for, of four tasks one old enough. */
function pass({ bare, base, components }: ReturnType<typeof createCodeWorld>) {
  const [old, recent, working, stranger] = [newId(), newId(), newId(), newId()];
  const ends = new Map([
    [old, daysAgo(31)],
    [recent, daysAgo(29)],
  ]);
  const results = [old, recent, working, stranger].flatMap((task) =>
    Array.from({ length: 120 }, (_, label) => `refs/workledger/${task}/${newId()}/generate-${label}`),
  );
  const planted = [...results, `refs/heads/workledger/${old}`, 'refs/workledger/something/else'];
  const input = planted.map((ref) => `create ${ref} ${base}\n`).join('');
  execFileSync('git', ['update-ref', '--stdin'], { cwd: bare, input });
  const count = (pattern: string): number =>
    git(bare, 'for-each-ref', '--format=%(refname)', pattern).split('\n').filter(Boolean).length;
  const asked: string[] = [];
  const run = () =>
    forgetResults('sample', {
      results: componentNamed(components(), 'code.results'),
      forget: componentNamed(components(), 'code.forget'),
      ...{ resultDays: 30, signal: new AbortController().signal },
      endedAt: (taskId: string) => {
        asked.push(taskId);
        return Promise.resolve(ends.get(taskId) ?? null);
      },
    });
  return { tasks: [old, recent, working, stranger] as const, count, asked, run };
}

test('results leave the origin when their task has ended long enough ago, and nothing else does', async () => {
  const world = createCodeWorld(nothing);
  onTestFinished(() => world.remove());
  const { tasks, count, asked, run } = pass(world);
  expect(await run()).toEqual({ tasks: 4, refs: 120 });
  expect(asked.toSorted()).toEqual(tasks.toSorted());
  expect(tasks.map((task) => count(`refs/workledger/${task}`))).toEqual([0, 120, 120, 120]);
  expect([count(`refs/heads/workledger/${tasks[0]}`), count('refs/workledger/something')]).toEqual([1, 1]);
  expect(await run()).toEqual({ tasks: 3, refs: 0 });
});

test('runners do the same for sagas, which reach no origin', async () => {
  let performed: Performer | undefined;
  const runner = await serveRunner((...call) => performed!(...call));
  onTestFinished(() => runner.close());
  const outages = createOutages(captureLog().logger);
  const world = createCodeWorld(nothing, {
    create: (environment) => {
      performed = createPerformer(environment);
      return createRemoteComponents({ ...environment, urls: [runner.url], key: SECRET, outages });
    },
  });
  onTestFinished(() => world.remove());
  const { tasks, count, run } = pass(world);
  expect(await run()).toEqual({ tasks: 4, refs: 120 });
  expect(tasks.map((task) => count(`refs/workledger/${task}`))).toEqual([0, 120, 120, 120]);
});

test('a task has ended when nothing has begun it again, and one that nobody knows has not', async () => {
  const endOf = (...types: string[]) => {
    const events = types.map((type, index) => ({ type, recordedAt: daysAgo(types.length - index) }) as RecordedEvent);
    return taskEnd({
      async *readStream() {
        yield* events.toReversed();
      },
    })(newId());
  };
  const ended = (days: number) => Math.round((Date.now() - days) / DAY);
  expect(await endOf()).toBeNull();
  expect(await endOf('TaskCreated', 'TaskClaimed')).toBeNull();
  expect(await endOf('TaskCreated', 'TaskFailed', 'TaskRetried')).toBeNull();
  const failed = await endOf('TaskCreated', 'TaskFailed', 'TaskDetailsChanged');
  expect(ended(failed?.getTime() ?? 0)).toBe(2);
  expect(await endOf('TaskCreated', 'TaskCompleted')).toBeInstanceOf(Date);
});
