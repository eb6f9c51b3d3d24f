import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventJson } from '@workledger/shared/events/event-json.ts';
import { startBusyDay, type BusyDay } from './harness/busy-day.ts';
import type { RunningSystem } from '../testing/system/engine.ts';
import { enginesOfEveryLog } from '../testing/system/engines.ts';
import { createGithubSide, REPOSITORY, SENDER, type GithubSide } from '../testing/system/github.ts';
import { isFullLength, schedule, tell, type Blow } from '../testing/system/storm.ts';
import { until } from '../testing/processes/until.ts';
import { untilQuiet } from '../testing/system/logs.ts';

const BETWEEN_BLOWS = Number(process.env['WORKLEDGER_STORM_BETWEEN'] ?? (isFullLength ? 25 : 8));
/** Deliveries that come together right before a blow: it strikes in the middle of what follows from them. */
const IN_HAND = isFullLength ? 20 : 8;
const CALLERS = isFullLength
  ? { commands: 4, questions: 3, deliveries: 3 }
  : { commands: 2, questions: 2, deliveries: 1 };
const GONE_MILLISECONDS = 1_000;
/** Health is asked for when a frozen store has been silent for longer than anybody waits for it. */
const SILENT_MILLISECONDS = 5_500;
const PATIENCE_SECONDS = 120;

/** What every engine goes through in `npm test`: of a store that freezes, dies, and stops. `npm run storm` draws more by a seed. */
const blows: Readonly<Record<string, readonly Blow[]>> = {
  embedded: [
    { store: 'event-log', strike: 'freeze', milliseconds: 7_000 },
    { store: 'event-log', strike: 'kill', milliseconds: GONE_MILLISECONDS },
  ],
  distributed: [
    { store: 'event-log', strike: 'freeze', milliseconds: 7_000 },
    { store: 'kafka', strike: 'kill', milliseconds: GONE_MILLISECONDS },
    ...(isFullLength ? [{ store: 'event-log', strike: 'stop', milliseconds: GONE_MILLISECONDS } as const] : []),
  ],
  eventstoredb: [
    { store: 'event-log', strike: 'freeze', milliseconds: 7_000 },
    { store: 'postgresql', strike: 'kill', milliseconds: GONE_MILLISECONDS },
    ...(isFullLength
      ? ([
          { store: 'event-log', strike: 'freeze', milliseconds: 15_000 },
          { store: 'event-log', strike: 'kill', milliseconds: GONE_MILLISECONDS },
        ] as const)
      : []),
  ],
};

describe.each(enginesOfEveryLog)('while a store is away, $name', (engine) => {
  let github: GithubSide;
  let system: RunningSystem;
  let day: BusyDay;
  let events: readonly EventJson[];
  const health: (readonly [string, string | undefined])[] = [];

  beforeAll(async () => {
    github = await createGithubSide();
    const repository = { name: 'sample', url: 'nowhere', test: ['true'], github: REPOSITORY, trusted: [SENDER] };
    system = await engine.start({ ...github.settings, repositories: [repository] });
    day = await startBusyDay(system.client, CALLERS);
    const goOn = async (): Promise<void> => {
      const [commands, deliveries, answered] = [day.accepted.length, day.taken.length, day.answered()];
      await until('commands, deliveries and questions to go on', () => {
        const more = [day.accepted.length - commands, day.taken.length - deliveries, day.answered() - answered];
        return more.every((count) => count >= BETWEEN_BLOWS);
      });
    };
    await goOn();
    for (const { store, strike, milliseconds } of schedule(engine.name, system.stores, blows)) {
      const struck = system.stores.find(({ name }) => name === store);
      if (struck === undefined) continue;
      await day.burst(IN_HAND);
      await struck.begin(strike);
      if (strike === 'freeze') {
        const told = day.eachWasTold();
        await pause(SILENT_MILLISECONDS);
        // Nobody on the way of a request leans on the bus.
        if (store !== 'kafka') health.push([`${store} frozen`, (await system.health())[store]]);
        await told;
      }
      await pause(Math.max(0, milliseconds - (strike === 'freeze' ? SILENT_MILLISECONDS : 0)));
      await struck.end(strike);
      await goOn();
    }
    await day.stop();
    tell(
      `${day.accepted.length} commands, ${day.taken.length} deliveries accepted; ${day.answered()} questions answered`,
    );
    const log = await system.openLog();
    try {
      await hasItsEffect();
      await untilQuiet(log, engine.calmMilliseconds);
    } finally {
      await log.close();
    }
    events = await system.client.log();
  });
  afterAll(async () => {
    await system.dispose();
    await github.dispose();
  });

  const effects = (log: readonly EventJson[]): string[] =>
    log.flatMap(({ stream, type }) =>
      type === 'TaskCreated' || type === 'TaskCancelled' ? [`${type} in ${stream}`] : [],
    );
  const expected = (): string[] => day.taken.map(({ taskId, effect }) => `${effect} in task-${taskId}`);

  /** Waits until every delivery has led to something, but not for ever: the assertions say what is missing. */
  async function hasItsEffect(): Promise<void> {
    const isThere = async (): Promise<boolean> => {
      const there = new Set(effects(await system.client.log().catch(() => [])));
      return expected().every((effect) => there.has(effect));
    };
    await until('the effects of all deliveries', async () => (await isThere()) || pause(1_000), PATIENCE_SECONDS).catch(
      () => undefined,
    );
  }

  it('nothing that is there is denied, and nobody waits without a word', () => {
    expect(day.denied).toEqual([]);
    expect(day.answered()).toBeGreaterThan(BETWEEN_BLOWS);
  });

  it('no question is answered short', () => {
    expect(day.short).toEqual([]);
  });

  it('a store that stands still is told as down', () => {
    expect(health).toEqual(health.map(([what]) => [what, 'down']));
  });

  it('every accepted command is in the log, once', () => {
    const titles = events.flatMap(({ stream, revision, data }) => {
      const { title } = data as { title?: string };
      return stream.startsWith('task-') && title?.startsWith('title ') === true
        ? [`${stream}@${revision} ${title}`]
        : [];
    });
    const wanted = day.accepted.map(({ id, revision, title }) => `task-${id}@${revision} ${title}`);
    expect(titles.toSorted()).toEqual(wanted.toSorted());
  });

  it('every delivery that was taken has its effect, once', () => {
    const byDelivery = new Set(day.taken.map(({ taskId }) => `task-${taskId}`));
    const found = effects(events.filter(({ stream }) => byDelivery.has(stream)));
    expect(found.toSorted()).toEqual(expected().toSorted());
  });

  it('the read models agree with the log', async () => {
    const last = new Map<string, { revision: number; title: string }>();
    for (const { id, revision, title } of day.accepted)
      if (revision > (last.get(id)?.revision ?? -1)) last.set(id, { revision, title });
    for (const [id, { revision, title }] of last) {
      const token = `task-${id}@${revision}`;
      const { body } = await system.client.expect2xx('GET', `/tasks/${id}`, { token });
      expect(body).toMatchObject({ id, revision, title });
    }
  });
});
