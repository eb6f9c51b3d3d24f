import { describe, expect, it } from 'vitest';
import type { Content } from '../contexts/sync/configuration/events.ts';
import { contentFaults, effective } from './effective.ts';
import { parseConfiguration } from './load.ts';
import { shownValues } from './shown.ts';

const file = (more: object = {}) => ({
  github: { app: { id: 7, key: { file: 'app.pem' } } },
  repositories: [{ name: 'bank', url: '/srv/bank', test: ['true'], github: 'Acme/Bank' }],
  installed: { of: ['acme/*', 'umbrella/one'], each: { test: ['npm', 'test'], trusted: ['ada'], merge: 'squash' } },
  ...more,
});
const told = (name: string) => ({ url: `https://github.com/${name}.git`, baseBranch: 'trunk' });
const content = (names: readonly string[], repositories: Content['repositories'] = {}): Content => ({
  installed: Object.fromEntries(names.map((name) => [name, told(name)])),
  repositories,
});
const named = (given: Content, written: object = file()) =>
  effective({ ...written }, given).repositories.map(({ name }) => name);

describe('what the app is installed for', () => {
  it('is registered, each as the file says, under the name that GitHub has for it', () => {
    const [bank, shop] = effective(file(), content(['acme/shop'])).repositories;
    expect(bank).toMatchObject({ name: 'bank', test: ['true'] });
    expect(shop).toMatchObject({
      ...{ name: 'acme/shop', github: 'acme/shop', ...told('acme/shop') },
      ...{ test: ['npm', 'test'], trusted: ['ada'], merge: 'squash', linear: null },
    });
  });

  it('is registered only of who is named, whatever else was seen', () =>
    expect(named(content(['umbrella/one', 'umbrella/two', 'ACME/mill', 'acme-evil/x', 'evil/acme']))).toEqual([
      ...['bank', 'umbrella/one', 'ACME/mill'],
    ]));

  it('is left to the file, and to the API, where these have it already: by whatever name, in whatever case', () => {
    expect(named(content(['acme/bank', 'acme/shop']))).toEqual(['bank', 'acme/shop']);
    const whole = { url: '/srv/shop', test: ['true'] };
    expect(named(content(['acme/shop', 'acme/mill'], { till: { ...whole, github: 'ACME/shop' } }))).toEqual([
      ...['bank', 'acme/mill', 'till'],
    ]);
    const { repositories } = effective(file(), content(['acme/shop'], { 'acme/shop': whole }));
    expect(repositories.map(({ name, url, trusted }) => [name, url, trusted])[1]).toEqual([
      'acme/shop',
      '/srv/shop',
      [],
    ]);
  });

  it('has the values of the API over those of all; null takes it out, and nobody calls it otherwise', () => {
    const set = { 'acme/shop': { merge: 'never', github: 'acme/bank' }, 'acme/mill': null };
    const { repositories } = effective(file(), content(['acme/shop', 'acme/mill'], set));
    expect(repositories.map(({ name, merge, github }) => [name, merge, github])).toEqual([
      ['bank', 'never', 'Acme/Bank'],
      ['acme/shop', 'never', 'acme/shop'],
    ]);
  });

  it('may be gone, or not be there yet: values that wait for it do no harm, and were judged when they were set', () => {
    const waiting = content([], { 'acme/shop': { merge: 'never' } });
    expect([named(waiting), contentFaults(file(), waiting)]).toEqual([['bank'], []]);
    expect(contentFaults(file(), content([], { 'acme/shop': { merge: 'perhaps' } }))).toMatchObject([
      { path: '/repositories/acme~1shop/merge' },
    ]);
    expect(contentFaults(file(), content([], { 'other/shop': { merge: 'never' } }))).not.toEqual([]);
    expect(contentFaults(file(), content(['acme/shop'], { 'Acme/Shop': { merge: 'never' } }))).toEqual([]);
  });

  it('is nothing where the file does not say so', () =>
    expect(named(content(['acme/shop']), file({ installed: null }))).toEqual(['bank']));

  it('is shown as what it is, and what was set otherwise as that', () => {
    const given = { written: file(), content: content(['acme/shop'], { 'acme/shop': { merge: 'never' } }) };
    const values = shownValues({ ...given, since: { '/repositories/acme~1shop/merge': 3 } });
    const shown = (field: string) => values.find(({ path }) => path === `/repositories/acme~1shop/${field}`);
    expect(shown('url')).toMatchObject({ origin: 'installation', value: told('acme/shop').url });
    expect(shown('merge')).toEqual({
      ...{ path: '/repositories/acme~1shop/merge', value: 'never', origin: 'api', revision: 3 },
    });
    expect(values.find(({ path }) => path === '/repositories/bank/url')?.origin).toBe('file');
  });
});

describe('in the file', () => {
  const loading = (more: object) => () => parseConfiguration(JSON.stringify(file(more)), 'workledger.json');
  const installed = (of: readonly string[], each: object) => ({ installed: { of, each: { test: ['true'], ...each } } });

  it('an owner is always named', () => {
    for (const of of ['*', '*/*', 'acme', '/shop', 'acme/sh*'])
      expect(loading(installed([of], {})), of).toThrow('installed.of[0]');
    expect(loading({ installed: { of: [], each: { test: ['true'] } } })).toThrow('installed.of');
  });

  it('what GitHub tells of each, and what belongs to one, is not said of all', () => {
    for (const field of ['name', 'url', 'baseBranch', 'github', 'linear', 'slack', 'webhook'])
      expect(loading(installed(['acme/*'], { [field]: 'x' })), field).toThrow(`installed.each.${field}: unknown field`);
    expect(loading({ installed: { of: ['acme/*'], each: {} } })).toThrow('installed.each.test: missing');
  });

  it('each is judged as a repository would be, by its own place', () => {
    expect(loading(installed(['acme/*'], { agent: 'nobody' }))).toThrow('installed.each.agent: "nobody"');
    expect(loading(installed(['acme/*'], { tell: ['slack'] }))).toThrow(/installed\.each\.tell needs a login/);
    expect(loading(installed(['acme/*'], { merge: 'pull-request', approval: 'before-merge' }))).toThrow(
      'installed.each.approval',
    );
    expect(loading({})).not.toThrow();
  });

  it('an app is needed: a token is installed nowhere', () =>
    expect(loading({ github: { token: { env: 'TOKEN' } } })).toThrow('github.app: null'));
});
