import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningSystem } from '../testing/system/engine.ts';
import { engines } from '../testing/system/engines.ts';
import { createJoined, SOURCES, type Source } from '../testing/system/joined.ts';
import { finalTask } from '../testing/system/tasks.ts';
import { untilTrue } from '../testing/processes/until.ts';
import { diesOften, storageOf } from '../testing/system/storm.ts';

describe.each(engines)('work comes from GitHub, Linear and Slack, and its result goes back ($name)', (engine) => {
  /** Else once, in the middle, and all of them. */
  const isOften = diesOften(engine.name);
  let joined: Awaited<ReturnType<typeof createJoined>>;
  let system: RunningSystem;
  const tasks = {} as Record<Source, string>;
  const heads = {} as Record<Source, string>;

  beforeAll(async () => {
    joined = await createJoined();
    system = await engine.start(joined.settings, { storage: storageOf(engine.name) });
  });
  afterAll(async () => {
    await system?.dispose();
    await joined?.dispose();
  });

  const each = (step: (source: Source) => Promise<void>): Promise<unknown> => Promise.all(SOURCES.map(step));
  /** What began on GitHub is told in Linear and Slack, too. */
  const toldAt = (source: Source): readonly Source[] => (source === 'github' ? SOURCES : [source]);
  const pullOf = (source: Source) => joined.places[source].repository.pulls[0]!;
  /** All of it is killed, and what was being done meanwhile is done once all the same. */
  async function die(...parts: readonly ('service' | 'storage')[]): Promise<void> {
    await system.kill9(...parts);
    await system.restart();
  }
  const nextHead = (source: Source, mentions: string | null): Promise<void> =>
    joined.passedBeside(source, tasks[source], heads[source] ?? null).then((head) => {
      if (mentions !== null) expect(joined.prompt(source, head)).toContain(mentions);
      heads[source] = head;
    });

  it('becomes a pull request, though every process dies as it is asked for', async () => {
    await each(async (source) => void (tasks[source] = await joined.ask(system, source)));
    if (isOften) await die('service');
    await each((source) => nextHead(source, null));
  });

  it('goes back to its agent for what a person says, and for what fails, though every process dies meanwhile', async () => {
    for (const source of SOURCES)
      joined.places[source].repository.reviews.set(pullOf(source).number, [
        { id: 21, user: 1, state: 'CHANGES_REQUESTED', body: 'Greet the stars, too.' },
      ]);
    await untilTrue(async () => {
      const { body } = await system.client.expect2xx('GET', `/tasks/${tasks.slack}`);
      return (body['history'] as readonly { type: string }[]).some(({ type }) => type === 'TaskSentBack');
    }, 180);
    await die(...system.parts);
    await each((source) => nextHead(source, 'Greet the stars, too.'));
    for (const source of SOURCES)
      joined.places[source].repository.statuses.push({
        ...{ sha: heads[source], context: 'ci', state: 'failure', description: '3 problems in bin/greet' },
      });
    await each((source) => nextHead(source, '3 problems in bin/greet'));
  });

  it('is merged by a person, and that is told where it was asked for, though every process dies in between', async () => {
    await each(async (source) => {
      joined.places[source].repository.statuses.push({ sha: heads[source], context: 'ci', state: 'success' });
      expect(await joined.merge(source, pullOf(source).number)).toBe(200);
    });
    if (isOften) await die('service');
    await each(async (source) => {
      expect(await finalTask(system.client, tasks[source])).toMatchObject({
        ...{ state: 'complete', result: { merged: true, commit: heads[source] } },
      });
      expect(joined.trunk(source)).toBe(heads[source]);
      for (const at of toldAt(source))
        await untilTrue(
          () =>
            Promise.resolve(joined.told(source, at).words.some((words) => words.includes('It is done, and merged'))),
          180,
        );
    });
    for (const issue of Object.values(joined.issues))
      await untilTrue(() => Promise.resolve(issue.state.name === 'Done'), 180);
  });

  it('was asked for, opened, and told of once', () => {
    for (const source of SOURCES)
      expect({
        source,
        pulls: [joined.pullsMade(source), joined.places[source].repository.pulls.length],
        told: toldAt(source).map((at) => [joined.told(source, at).made, joined.told(source, at).words.length]),
      }).toEqual({ source, pulls: [1, 1], told: toldAt(source).map(() => [1, 1]) });
  });

  it('has its labels, statuses, states and emoji set once each, and what it says changed only where that is new', async () => {
    const { labels } = joined.places.github.repository;
    await untilTrue(() => Promise.resolve(isEqual(labels.get(12), ['workledger:done'])), 180);
    await untilTrue(() => Promise.resolve(joined.reactions().length >= 3), 180);
    expect(joined.reactions()).toEqual(['reactions.add eyes', 'reactions.remove eyes', 'reactions.add tada']);
    for (const issue of Object.values(joined.issues))
      expect(joined.moves(issue)).toEqual(['state-review', 'state-done']);
    for (const source of SOURCES) {
      const changes = joined.changes(source);
      const calls = [...new Set(changes.map(({ call }) => call))];
      const bodiesOf = (asked: string): readonly (typeof changes)[number]['body'][] =>
        changes.flatMap(({ call, body }) => (call === asked ? [body] : []));
      const statuses = calls.filter((call) => call.startsWith('POST statuses/'));
      expect(statuses).toContain(`POST statuses/${heads[source]}`);
      for (const call of statuses) expect(bodiesOf(call).map(({ state }) => state)).toEqual(['pending', 'success']);
      for (const call of calls.filter((each) => each.startsWith('PATCH '))) {
        const said = bodiesOf(call).map(({ body }) => body);
        expect(said.filter((body, index) => body === said[index - 1])).toEqual([]);
      }
      const labelled = source === 'github' ? ['workledger:working', 'workledger:done'] : [];
      expect(bodiesOf('POST issues/12/labels')).toEqual(labelled.map((name) => ({ labels: [name] })));
      expect(calls.filter((call) => call.startsWith('DELETE '))).toEqual(
        source === 'github' ? ['DELETE issues/12/labels/workledger%3Aworking'] : [],
      );
    }
  });
});

const isEqual = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);
