import { history } from '@workledger/infra/testing/events/history.ts';
import { describe, expect, it, vi } from 'vitest';
import { configurationId, type Content, type EnvironmentName } from '../contexts/sync/configuration/events.ts';
import { streamName } from '../contexts/stream.ts';
import type { EventLog } from '../event-log/port.ts';
import type { Written } from './effective.ts';
import { ConfigurationError } from './faults.ts';
import { createLive, FILE_ALONE } from './live.ts';
import { configurationSchema } from './schema.ts';

const file: Written = {
  leaseSeconds: 60,
  repositories: [{ name: 'shop', url: 'shop.git', test: ['true'] }],
  overlays: { sagas: { limits: { leaseSeconds: 50 } } },
};
const lease = (seconds: number): Content => ({ limits: { leaseSeconds: seconds } });
/** It fits only a file that has the repository. */
const squash: Content = { ...lease(80), repositories: { shop: { merge: 'squash' } } };

/** A log that holds what was set for each environment. */
function createLog() {
  const set = new Map<string, Content[]>();
  const log: Pick<EventLog, 'readStream'> = {
    async *readStream(stream, { from, direction, limit = Infinity } = {}) {
      const common = { changes: [], reason: 'asked for', changedBy: 'user:1' };
      const events = (set.get(stream) ?? []).map((content) => ({
        type: 'ConfigurationRevised' as const,
        data: { ...common, environment: 'production' as const, content },
      }));
      const recorded = history(stream, events);
      const wanted = direction === 'backward' ? recorded.toReversed() : recorded.slice(from ?? 0);
      yield* wanted.slice(0, limit);
    },
  };
  const revise = (content: Content, environment: EnvironmentName = 'production'): void => {
    const stream = streamName('configuration', configurationId(environment));
    set.set(stream, [...(set.get(stream) ?? []), content]);
  };
  return { log, revise };
}

const liveOf = (written: Written = file) =>
  createLive({ configuration: configurationSchema.parse(written), folder: '/srv', written });
const withoutShop: Written = { ...file, repositories: [] };

describe('the configuration as it is now', () => {
  it('is the file until it is opened, and then what is set over it, in each field that somebody holds', async () => {
    const { log, revise } = createLog();
    revise(lease(70));
    revise(lease(90));
    const live = liveOf();
    const view = live.view('command-service');
    expect([live.revision(), view.leaseSeconds]).toEqual([FILE_ALONE, 60]);
    await live.open(log);
    expect([live.revision(), view.leaseSeconds]).toEqual([1, 90]);
    revise(lease(30));
    await live.refresh();
    expect([live.revision(), view.leaseSeconds]).toEqual([2, 30]);
    expect(live.facts()).toEqual({ configuration: { environment: 'production', revision: 2 } });
  });

  it('is that of its own environment', async () => {
    const { log, revise } = createLog();
    revise(lease(90), 'staging');
    const [production, staging] = [liveOf(), liveOf({ ...file, environment: 'staging' })];
    await Promise.all([production.open(log), staging.open(log)]);
    expect([production.revision(), production.view().leaseSeconds]).toEqual([FILE_ALONE, 60]);
    expect([staging.revision(), staging.view().leaseSeconds]).toEqual([0, 90]);
    revise(lease(30));
    await Promise.all([production.refresh(), staging.refresh()]);
    expect([production.view().leaseSeconds, staging.view().leaseSeconds]).toEqual([30, 90]);
  });

  it('has for each service its own values, and what its process was told before all', async () => {
    const { log, revise } = createLog();
    const live = liveOf();
    expect([live.view('sagas').leaseSeconds, live.view('command-service').leaseSeconds]).toEqual([50, 60]);
    await live.open(log);
    const told = live.view('sagas', { drainSeconds: 7 });
    revise({ overlays: { sagas: { limits: { leaseSeconds: 40, drainSeconds: 5 } } } });
    await live.refresh();
    expect([live.view('sagas').leaseSeconds, live.view('command-service').leaseSeconds]).toEqual([40, 60]);
    expect([live.view('sagas').drainSeconds, told.drainSeconds]).toEqual([5, 7]);
  });

  it('is none where it does not fit the file at a start', async () => {
    const { log, revise } = createLog();
    revise(squash);
    const live = liveOf(withoutShop);
    await expect(live.open(log)).rejects.toThrow(
      /^revision 0 of the configuration does not fit the file: repositories\[0\].url/,
    );
    await expect(live.open(log)).rejects.toBeInstanceOf(ConfigurationError);
    expect([live.revision(), live.view().leaseSeconds]).toEqual([FILE_ALONE, 60]);
  });

  it('stays as it is where something newer does not fit, and /health says so until something does', async () => {
    const { log, revise } = createLog();
    const changed = vi.fn<() => void>();
    const live = liveOf(withoutShop);
    live.onChange(changed);
    revise(lease(90));
    await live.open(log);
    revise(squash);
    await live.refresh();
    expect([live.revision(), live.view().leaseSeconds, live.view().repositories]).toEqual([0, 90, []]);
    expect(live.facts()).toEqual({
      configuration: {
        ...{ environment: 'production', revision: 0 },
        problem: expect.stringMatching(
          /^revision 1 of the configuration does not fit the file: repositories\[0\]/,
        ) as unknown,
      },
    });
    expect(changed).toHaveBeenCalledTimes(1);
    revise(lease(30));
    await live.refresh();
    expect(live.facts()).toEqual({ configuration: { environment: 'production', revision: 2 } });
    expect([live.view().leaseSeconds, changed.mock.calls.length]).toEqual([30, 2]);
  });
});

describe('what was valid at a revision', () => {
  it('is found after a restart, whatever was set since, with the values of a service', async () => {
    const { log, revise } = createLog();
    revise(squash);
    revise({ ...lease(90), overlays: { sagas: { limits: { leaseSeconds: 40 } } } });
    revise({});
    const restarted = liveOf();
    await restarted.open(log);
    const at = async (revision: number): Promise<unknown[]> => {
      const { leaseSeconds, repositories } = await restarted.at(revision, 'sagas');
      return [leaseSeconds, ...repositories.map(({ url, merge }) => `${url} ${merge}`)];
    };
    expect(await at(0)).toEqual([80, '/srv/shop.git squash']);
    expect(await at(1)).toEqual([40, '/srv/shop.git never']);
    expect(await at(2)).toEqual([50, '/srv/shop.git never']);
    expect(await at(FILE_ALONE)).toEqual([50, '/srv/shop.git never']);
    expect((await restarted.at(1)).leaseSeconds).toBe(90);
    expect(restarted.view('sagas').leaseSeconds).toBe(50);
  });

  it('is none where there is no such revision, or where it fits the file no more', async () => {
    const { log, revise } = createLog();
    revise(squash);
    revise({});
    const live = liveOf(withoutShop);
    await live.open(log);
    await expect(live.at(0)).rejects.toBeInstanceOf(ConfigurationError);
    await expect(live.at(7)).rejects.toThrow('there is no revision 7 of the configuration');
    // Whoever asked in vain is answered when it is there.
    for (let more = 2; more <= 7; more++) revise(lease(more));
    expect((await live.at(7)).leaseSeconds).toBe(7);
  });

  it('is told to who knows no log, and lies over a file of its own', () => {
    const runner = liveOf({ ...file, drainSeconds: 9 });
    const { leaseSeconds, drainSeconds, repositories } = runner.with({ revision: 4, content: squash }, 'runner');
    expect([leaseSeconds, drainSeconds, repositories[0]?.merge]).toEqual([80, 9, 'squash']);
    expect([runner.revision(), runner.view('runner').leaseSeconds]).toEqual([4, 80]);
    // A run that began earlier changes nothing for others.
    expect(runner.with({ revision: 3, content: lease(70) }, 'runner').leaseSeconds).toBe(70);
    expect([runner.revision(), runner.view('runner').leaseSeconds]).toEqual([4, 80]);
  });
});
