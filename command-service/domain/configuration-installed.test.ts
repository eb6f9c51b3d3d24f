import { given } from '@workledger/shared/aggregate/testing.ts';
import { type ConfigurationEvent, type Content } from '@workledger/shared/contexts/sync/configuration/events.ts';
import { describe, expect, it } from 'vitest';
import { configuration } from './configuration.ts';
import { by, environment, reason, revised } from './testing.ts';

describe('what the app is installed for', () => {
  const installing = {
    github: { app: { id: 7, key: { file: 'app.pem' } } },
    installed: { of: ['acme/*'], each: { test: ['true'] } },
  };
  const admin = { environment, reason, written: installing, isAdmin: true };
  const saga = { environment, written: installing, isAdmin: false };
  const told = (name: string) => ({ url: `https://github.com/${name}.git`, baseBranch: 'main' });
  const [mill, shop] = [told('acme/mill'), told('acme/shop')];
  const taken = (installed: Record<string, object>, more: Content = {}): ConfigurationEvent =>
    revised({ ...more, installed }, []);
  const reasonOf = (words: string) => `GitHub tells what the app is installed for: ${words}`;

  it('is taken as it is seen: what is there, what is another and what is gone, in one revision, with its reason', () => {
    const before = taken({ 'acme/mill': mill, 'acme/old': told('acme/old') });
    const moved = { ...mill, baseBranch: 'trunk' };
    const installed = { 'acme/shop': shop, 'acme/mill': moved };
    const changes = [
      { path: '/installed/acme~1mill', value: moved },
      { path: '/installed/acme~1old' },
      { path: '/installed/acme~1shop', value: shop },
    ];
    const { data } = revised({ installed }, changes);
    const words = reasonOf('acme/shop added; acme/mill changed; acme/old gone');
    given(configuration, before)
      .when('configuration.take-installed', { ...saga, installed }, by)
      .then({ type: 'ConfigurationRevised', data: { ...data, reason: words } });
  });
  it('is no revision where it is as it was', () =>
    given(configuration, taken({ 'acme/shop': shop }))
      .when('configuration.take-installed', { ...saga, installed: { 'acme/shop': { ...shop } } }, by)
      .then());
  it('is named in part where it is much', () => {
    const installed = Object.fromEntries(Array.from({ length: 22 }, (_, at) => [`acme/r${100 + at}`, shop]));
    given(configuration)
      .when('configuration.take-installed', { ...saga, installed }, by)
      .thenState(({ content }) => expect(Object.keys(content.installed ?? {})).toHaveLength(22));
  });
  it('goes without what people have set for it, which waits', () =>
    given(configuration, taken({ 'acme/shop': shop }, { repositories: { 'acme/shop': { merge: 'squash' } } }))
      .when('configuration.take-installed', { ...saga, installed: {} }, by)
      .thenState(({ content }) => expect(content).toEqual({ repositories: { 'acme/shop': { merge: 'squash' } } })));
  it('is nobody’s to set: not by a change, not by all that is set, not by a way back', () => {
    const before = taken({ 'acme/shop': shop }, { limits: { leaseSeconds: 90 } });
    given(configuration, before)
      .when('configuration.revise', { ...admin, changes: [{ path: '/installed/acme~1evil', value: mill }] }, by)
      .thenRefused('out-of-range');
    const changes = [{ path: '/limits/leaseSeconds' }];
    given(configuration, before)
      .when('configuration.replace', { ...admin, content: { installed: { 'acme/mill': mill } } }, by)
      .then(revised({ installed: { 'acme/shop': shop } }, changes));
    given(configuration, before)
      .when('configuration.roll-back', { ...admin, content: {}, to: -1 }, by)
      .then(revised({ installed: { 'acme/shop': shop } }, changes, -1));
  });
  it('is refused as a whole where it is more than a revision may hold', () => {
    const installed = Object.fromEntries(Array.from({ length: 1_500 }, (_, at) => [`acme/repository-${at}`, shop]));
    given(configuration)
      .when('configuration.take-installed', { ...saga, installed }, by)
      .thenRefused('too-large');
  });
});
