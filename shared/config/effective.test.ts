import { describe, expect, it } from 'vitest';
import type { Content } from '../contexts/sync/configuration/events.ts';
import { effective } from './effective.ts';
import { parseConfiguration } from './load.ts';
import type { ComponentName } from './overlays.ts';
import { shownValues } from './shown.ts';

const written = {
  leaseSeconds: 60,
  repositories: [
    { name: 'shop', url: '/srv/shop', test: ['true'], variables: { API_TOKEN: 'abc', LEVEL: '3' } },
    { name: 'bank', url: '/srv/bank', test: ['true'] },
  ],
  agents: [{ name: 'ada', profile: 'claude-code' }],
  flags: [{ name: 'fast', percentage: 10 }],
  overlays: { sagas: { limits: { leaseSeconds: 50 }, flags: [{ name: 'fast', percentage: 20 }] } },
};

describe('the configuration in use', () => {
  it('is the file where nothing is set', () =>
    expect(effective(written, {})).toMatchObject({ leaseSeconds: 60, rules: [{ name: 'label' }] }));

  it('has what the API sets over the file, field by field; what is new comes after, what is null is gone', () => {
    const content: Content = {
      repositories: { shop: { merge: 'squash' }, bank: null, mill: { url: '/srv/mill', test: ['true'] } },
      rules: { other: { provider: 'github', label: 'now' } },
      limits: { leaseSeconds: 90 },
    };
    const { repositories, rules, leaseSeconds } = effective(written, content);
    expect(repositories.map(({ name, merge }) => [name, merge])).toEqual([
      ['shop', 'squash'],
      ['mill', 'never'],
    ]);
    expect(rules.map(({ name }) => name)).toEqual(['label', 'other']);
    expect(leaseSeconds).toBe(90);
  });

  it('takes what an agent is started with from its new profile', () => {
    const { agents } = effective(written, { agents: { ada: { profile: 'codex' } } });
    expect(agents).toMatchObject([{ name: 'ada', command: ['codex'] }]);
  });

  it('has of the file what is a component’s own over what is for all, and over both what the API sets, likewise', () => {
    const of = (content: Content, component?: ComponentName) => {
      const { leaseSeconds, flags } = effective(written, content, component);
      return [leaseSeconds, flags[0]?.percentage];
    };
    expect([of({}), of({}, 'sagas'), of({}, 'command-service')]).toEqual([
      [60, 10],
      [50, 20],
      [60, 10],
    ]);
    const forAll: Content = { limits: { leaseSeconds: 90 }, flags: { fast: { percentage: 70 } } };
    expect([of(forAll), of(forAll, 'sagas')]).toEqual([
      [90, 70],
      [90, 70],
    ]);
    const own = { sagas: { limits: { leaseSeconds: 40 }, flags: { fast: { percentage: 30 } } } };
    expect(of({ ...forAll, overlays: own }, 'sagas')).toEqual([40, 30]);
    expect(of({ ...forAll, overlays: own }, 'command-service')).toEqual([90, 70]);
  });

  it('of a file whose overlay is out of bounds is refused by its place', () => {
    const bad = { overlays: { sagas: { limits: { leaseSeconds: 1 } } } };
    expect(() => parseConfiguration(JSON.stringify(bad), 'workledger.json')).toThrow('overlays.sagas.leaseSeconds: 1');
  });

  it.each([
    ['sagas', { limits: { budgets: {} } }, 'overlays.sagas.limits.budgets: sagas does not read it → use one of: lease'],
    ['runner', { limits: { leaseSeconds: 5 } }, 'overlays.runner.limits.leaseSeconds: runner does not read it'],
    ['projections', { limits: { drainSeconds: 5 } }, 'projections does not read it → leave it out'],
    ['projections', { flags: [{ name: 'fast' }] }, 'overlays.projections.flags.fast: projections asks for no flag'],
  ])('has no value of %s that it never reads', (component, own, fault) => {
    const bad = { overlays: { [component]: own } };
    expect(() => parseConfiguration(JSON.stringify(bad), 'workledger.json')).toThrow(fault);
  });
});

describe('what is shown of it', () => {
  const content: Content = {
    repositories: { shop: { merge: 'squash' } },
    limits: { leaseSeconds: 90 },
    overlays: { sagas: { flags: { fast: { percentage: 30 } } } },
  };
  const since = { '/repositories/shop/merge': 4, '/limits/leaseSeconds': 2, '/overlays/sagas/flags/fast': 5 };
  const shown = (path: string, component?: 'sagas') =>
    shownValues({ written, content, since }, component).find((value) => value.path === path);

  it('says of each value where it comes from, and what the file says', () => {
    expect(shown('/limits/leaseSeconds')).toEqual({
      ...{ path: '/limits/leaseSeconds', value: 90, origin: 'api', revision: 2, file: 60 },
    });
    expect(shown('/repositories/shop/merge')).toEqual({
      ...{ path: '/repositories/shop/merge', value: 'squash', origin: 'api', revision: 4 },
    });
    expect(shown('/repositories/shop/test')).toMatchObject({ origin: 'file', value: ['true'] });
    expect(shown('/repositories/shop/baseBranch')).toMatchObject({ origin: 'default', value: 'main' });
    expect(shown('/flags/fast/description')).toMatchObject({ origin: 'default', value: '' });
  });

  it('shows of a component what lies below its own values', () => {
    const lease = '/limits/leaseSeconds';
    expect(shown(lease, 'sagas')).toEqual({
      ...{ path: lease, value: 90, origin: 'api', revision: 2 },
      ...{ file: 60, fileOverlay: 50 },
    });
    const own = { ...content, overlays: { sagas: { limits: { leaseSeconds: 40 } } } };
    const overlay = { [`/overlays/sagas${lease}`]: 6 };
    const values = shownValues({ written, content: own, since: { ...since, ...overlay } }, 'sagas');
    expect(values.find(({ path }) => path === lease)).toEqual({
      ...{ path: lease, value: 40, origin: 'overlay', revision: 6 },
      ...{ file: 60, fileOverlay: 50, api: 90 },
    });
    const inFile = shownValues({ written, content: {}, since: {} }, 'sagas');
    expect(inFile.find(({ path }) => path === lease)).toEqual({ path: lease, value: 50, origin: 'overlay', file: 60 });
    expect(shown('/flags/fast/percentage', 'sagas')).toMatchObject({
      ...{ origin: 'overlay', value: 30, revision: 5, file: 10, fileOverlay: 20 },
    });
    // What the overlay does not say of a flag is not from there.
    expect(shown('/flags/fast/description', 'sagas')).toMatchObject({ origin: 'default' });
  });

  it('hides what may be a secret', () =>
    expect(shown('/repositories/shop/variables')?.value).toEqual({ API_TOKEN: '[hidden]', LEVEL: '3' }));
});
