import { newId } from '@workledger/shared/contexts/stream.ts';
import { dependenciesStream, type DependenciesEvent } from '@workledger/shared/contexts/task/dependencies/events.ts';
import { dependenciesFold, partsOf, waitsFor } from '@workledger/shared/contexts/task/dependencies/state.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, complete, create, eventsOf, register, startWriteSide, typesOf, type WriteSide } from './testing.ts';

let side: WriteSide;
beforeAll(async () => {
  side = await startWriteSide();
});
afterAll(() => side.close());

/** A process that is killed after so many appends. */
const dyingAfter = (appends: number) =>
  side.another({}, (log: EventLog) => {
    let done = 0;
    return {
      ...log,
      append: (...arguments_) => (done++ < appends ? log.append(...arguments_) : Promise.reject(new Error('killed'))),
    };
  });

const lastOf = async (taskId: string) => (await typesOf(side.log, `task-${taskId}`)).at(-1);
const edgesNow = async () =>
  ((await eventsOf(side.log, dependenciesStream('sample'))) as unknown as readonly DependenciesEvent[]).reduce(
    dependenciesFold.evolve,
    dependenciesFold.initial,
  );

/** What the saga of subtasks is told about an expansion. */
async function toldParts(taskId: string): Promise<readonly string[]> {
  const told = (await eventsOf(side.log, dependenciesStream('sample'))).filter(
    ({ type, data }) => type === 'SubtasksAdded' && (data as { taskId: string }).taskId === taskId,
  );
  return told.flatMap(({ data }) => (data as { subtasks: readonly string[] }).subtasks);
}

describe('an expansion whose process is killed', () => {
  const APPENDS = 6;
  it.each(Array.from({ length: APPENDS + 1 }, (_, appends) => appends))(
    'after %i appends is whole or given up, and asked again makes other subtasks, once',
    async (appends) => {
      const [other, elsewhere] = [await create(side), await create(side, { repository: 'other' })];
      const parent = await create(side);
      const subtasks = [
        { title: 'one', dependencies: [other] },
        { title: 'two', repository: 'other', dependencies: [elsewhere] },
        { title: 'three' },
      ];
      const expand = async (commands: WriteSide['commands']) =>
        ask({ commands }, 'task.expand', parent, { subtasks }, { commandId });
      const commandId = newId();
      const first = expand(await dyingAfter(appends));
      const isWhole = appends === APPENDS;
      await (isWhole ? first : expect(first).rejects.toThrow('killed'));

      const before = await toldParts(parent);
      if (before.length > 0) {
        const { details } = await ask(side, 'task.give-up-expansion', parent, { subtasks: before });
        expect(details['missing']).toHaveLength(isWhole ? 0 : 3 - created(appends));
      }
      const alive = async (ids: readonly string[]) =>
        (await Promise.all(ids.map(lastOf))).filter((it) => it === 'TaskCreated');
      expect(await alive(before)).toHaveLength(isWhole ? 3 : 0);
      expect(await lastOf(parent)).toBe(
        isWhole ? 'TaskExpanded' : appends === 0 ? 'TaskCreated' : 'TaskExpansionGivenUp',
      );
      expect(partsOf(await edgesNow(), parent)).toEqual(isWhole ? before : []);

      const again = await expand(side.commands);
      const ids = again.details['subtasks'] as readonly string[];
      expect(ids.filter((id) => before.includes(id))).toHaveLength(isWhole ? 3 : 0);
      expect(await alive(ids)).toHaveLength(3);
      expect(await lastOf(parent)).toBe('TaskExpanded');

      if (before.length > 0) await ask(side, 'task.give-up-expansion', parent, { subtasks: before });
      const head = await side.log.head();
      await ask(side, 'task.give-up-expansion', parent, { subtasks: ids });
      expect(await expand(await side.another())).toEqual(again);
      expect(await side.log.head()).toBe(head);
      const edges = await edgesNow();
      expect(partsOf(edges, parent)).toEqual(ids);
      expect(waitsFor(edges, ids[0]!)).toEqual([other]);
    },
  );
  /** The edges, the first, the second's edges elsewhere, the second, the third, then the parent. */
  const created = (appends: number) => [0, 0, 1, 1, 2, 3, 3][appends] ?? 0;

  it('and that goes on when it was given up is refused, and leaves nothing alive', async () => {
    const parent = await create(side);
    const frozen = await side.another({}, (log) => ({
      ...log,
      append: async (stream, events, expected) => {
        if (events[0]?.type === 'TaskExpanded')
          await ask(side, 'task.give-up-expansion', parent, { subtasks: [...(await toldParts(parent))] });
        return log.append(stream, events, expected);
      },
    }));
    await expect(
      ask({ commands: frozen }, 'task.expand', parent, { subtasks: [{ title: 'one' }, { title: 'two' }] }),
    ).rejects.toThrow('given up');
    expect(await Promise.all((await toldParts(parent)).map(lastOf))).toEqual(['TaskCancelled', 'TaskCancelled']);
    expect(await typesOf(side.log, `task-${parent}`)).toEqual(['TaskCreated', 'TaskExpansionGivenUp']);
  });
});

/** Sends what the saga of subtasks sends, until there is nothing new to send. */
async function finishCancellations(after: bigint): Promise<void> {
  const seen = new Set<string>();
  for (let news = true; news;) {
    news = false;
    for await (const { id, type, stream, data } of side.log.readAll({ after, streams: ['task'] })) {
      const { parentId, hasSubtasks } = data as { parentId?: string; hasSubtasks?: true };
      if (type !== 'TaskCancelled' || seen.has(id) || (parentId === undefined && hasSubtasks === undefined)) continue;
      seen.add(id);
      news = true;
      await ask(side, 'task.finish-cancellation', stream.slice('task-'.length));
    }
  }
}

describe('a cancellation whose process is killed', () => {
  const APPENDS = 5;
  it.each(Array.from({ length: APPENDS + 1 }, (_, appends) => appends))(
    'after %i appends is whole, or nothing; what is retried later stays',
    async (appends) => {
      const expand = async (taskId: string, count: number) =>
        (
          await ask(side, 'task.expand', taskId, {
            subtasks: Array.from({ length: count }, (_, index) => ({ title: String(index) })),
          })
        ).details['subtasks'] as string[];
      const whole = await create(side);
      const [task, done] = (await expand(whole, 2)) as [string, string];
      const [one, two] = (await expand(task, 2)) as [string, string];
      const [piece] = (await expand(two, 1)) as [string];
      await complete(side, done, await register(side));

      const before = await side.log.head();
      const cancelled = ask({ commands: await dyingAfter(appends) }, 'task.cancel', task);
      await (appends === APPENDS ? cancelled : expect(cancelled).rejects.toThrow('killed'));
      await finishCancellations(before);
      const nothing = [...Array.from({ length: 3 }, () => 'TaskExpanded'), 'TaskCreated', 'TaskCreated'];
      const all = ['TaskCompleted', ...Array.from({ length: 4 }, () => 'TaskCancelled')];
      expect(await Promise.all([whole, task, two, one, piece].map(lastOf))).toEqual(appends === 0 ? nothing : all);

      if (appends === 0) return;
      await ask(side, 'task.retry', one);
      const head = await side.log.head();
      await finishCancellations(before);
      expect(await side.log.head()).toBe(head);
    },
  );
});
