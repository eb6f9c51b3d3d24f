import { given } from '@workledger/shared/aggregate/testing.ts';
import { CommandRefused } from '@workledger/shared/commands/refusal.ts';
import { type ConfigurationEvent, type Content } from '@workledger/shared/contexts/sync/configuration/events.ts';
import { configurationFold } from '@workledger/shared/contexts/sync/configuration/state.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { configuration } from './configuration.ts';
import { by, environment, reason, revised } from './testing.ts';

const written = {
  leaseSeconds: 60,
  repositories: [{ name: 'shop', url: '/srv/shop', test: ['npm', 'test'], merge: 'never' }],
  agents: [{ name: 'ada', command: ['ada'] }],
};
const asking = { environment, reason, written, isAdmin: false };
const admin = { ...asking, isAdmin: true };

const merge = [{ path: '/repositories/shop/merge', value: 'squash' }];
const squash = revised({ repositories: { shop: { merge: 'squash' } } }, merge);

const faulty = (path: string, value: unknown, pointer = path) =>
  given(configuration)
    .when('configuration.revise', { ...admin, changes: [{ path, value }] }, by)
    .thenRefused('out-of-range', {
      errors: expect.arrayContaining([expect.objectContaining({ path: pointer })]) as unknown as object[],
    });

describe('what the API sets over the file', () => {
  it('is kept whole, with what changed', () =>
    given(configuration)
      .when('configuration.revise', { ...admin, changes: merge }, by)
      .then(squash));
  it('is taken back, and the file is valid again', () =>
    given(configuration, squash)
      .when('configuration.revise', { ...admin, changes: [{ path: '/repositories/shop/merge' }] }, by)
      .then(revised({}, [{ path: '/repositories/shop/merge' }])));
  it('is no revision where nothing changes', () =>
    given(configuration, squash)
      .when('configuration.revise', { ...admin, changes: merge }, by)
      .then());
  it('is replaced as a whole, with what that changes', () =>
    given(configuration, squash)
      .when('configuration.replace', { ...admin, content: { limits: { leaseSeconds: 90 } } }, by)
      .then(
        revised({ limits: { leaseSeconds: 90 } }, [
          { path: '/limits/leaseSeconds', value: 90 },
          { path: '/repositories/shop/merge' },
        ]),
      ));
  it('goes back to what it was, as a new revision', () =>
    given(configuration, squash)
      .when('configuration.roll-back', { ...admin, content: {}, to: -1 }, by)
      .then(revised({}, [{ path: '/repositories/shop/merge' }], -1)));
  it('takes a thing of the file out, and a new one in', () =>
    given(configuration)
      .when(
        'configuration.revise',
        {
          ...admin,
          changes: [
            { path: '/agents/ada', value: null },
            { path: '/agents/bob', value: { command: ['bob'] } },
          ],
        },
        by,
      )
      .then(
        revised({ agents: { ada: null, bob: { command: ['bob'] } } }, [
          { path: '/agents/ada', value: null },
          { path: '/agents/bob/command', value: ['bob'] },
        ]),
      ));
  it.each([
    ['/repositories/shop/budgets', { taskUsd: 2 }],
    ['/repositories/shop/context', { tokens: 0 }],
    ['/repositories/shop/litter', ['*.log']],
    ['/repositories/shop/setupCache', false],
    ['/repositories/shop/tell', []],
    ['/agents/ada/capacity', 2],
    ['/rules/now', { provider: 'github', label: 'now' }],
    ['/flags/fast', { percentage: 1 }],
    ['/limits/leaseSeconds', 90],
    ['/overlays/sagas/limits/drainSeconds', 5],
  ])('%s is changed by an operator', (path, value) => {
    const state = configurationFold.initial;
    const asked = { ...asking, changes: [{ path, value }] };
    expect(configuration.decisions['configuration.revise'](asked, state, by)).toHaveLength(1);
  });
  it('belongs to the stream of its environment', () =>
    given(configuration)
      .when('configuration.revise', { ...asking, environment: 'staging', changes: merge }, by)
      .thenRefused('invalid-command'));
});

const contentWith = (path: string, value: string): Content => {
  const [, section = '', name = '', field = ''] = path.split('/');
  return { [section]: { [name]: { [field]: value } } };
};

describe('refused, and nothing is changed:', () => {
  it.each([
    ['a value that the schema refuses', '/repositories/shop/merge', 'perhaps'],
    ['an unknown field', '/repositories/shop/colour', 'red'],
    ['a bound that is not kept', '/limits/leaseSeconds', 1],
    ['a limit that is none', '/limits/port', 80],
    ['an agent that is not there', '/repositories/shop/agent', 'nobody'],
    ['a flag of more than all', '/flags/fast/percentage', 101],
    ['an overlay out of bounds', '/overlays/sagas/limits/leaseSeconds', 1],
    ['a limit of a service that it never reads', '/overlays/runner/limits/leaseSeconds', 90],
    ['a limit of a service that reads none', '/overlays/projections/limits/drainSeconds', 5],
    ['a value where names belong', '/repositories/shop', 7],
    ['another name than that of the path', '/repositories/shop/name', 'other'],
    ['a name that is none', '/rules/__proto__/label', 'x'],
    ['a field of no name', '/rules/now/__proto__', 'x'],
    ['a password in an address', '/repositories/shop/url', 'https://ada:hunter2hunter2@git.example.org/shop'],
  ])('%s', (_, path, value) => faulty(path, value));
  it('an overlay of nobody', () => faulty('/overlays/kitchen/limits/leaseSeconds', 5, '/overlays/kitchen'));
  it('a flag of a service that asks for none', () =>
    faulty('/overlays/projections/flags/fast', { percentage: 5 }, '/overlays/projections/flags/fast'));
  it('a secret among variables', () =>
    faulty('/repositories/shop/variables', { API_TOKEN: 'abc' }, '/repositories/shop/variables/API_TOKEN'));
  it('a part of a value', () => faulty('/repositories/shop/evolve/metric', 'ms', 'changes.0.path'));
  it('more than a revision may hold', () =>
    given(configuration)
      .when(
        'configuration.revise',
        { ...asking, changes: [{ path: '/flags/fast/description', value: 'x'.repeat(100_001) }] },
        by,
      )
      .thenRefused('too-large'));
  it('all of it where one change is wrong', () =>
    given(configuration)
      .when('configuration.revise', { ...admin, changes: [...merge, { path: '/limits/leaseSeconds', value: 'x' }] }, by)
      .thenRefused('out-of-range'));
  it.each([
    ...['url', 'test', 'trusted', 'approval', 'merge', 'generate', 'evolve', 'agent', 'baseBranch', 'limits'].map(
      (field) => `/repositories/shop/${field}`,
    ),
    ...['command', 'secrets', 'capabilities', 'limits'].map((field) => `/agents/ada/${field}`),
  ])('%s by anybody but an administrator', (path) => {
    const set = revised(contentWith(path, 'old'), [{ path, value: 'old' }]);
    const only = (...past: ConfigurationEvent[]) => given(configuration, ...past);
    const content = contentWith(path, 'new');
    only()
      .when('configuration.revise', { ...asking, changes: [{ path, value: 'new' }] }, by)
      .thenRefused('forbidden', { paths: [path] });
    only(set)
      .when('configuration.revise', { ...asking, changes: [{ path }] }, by)
      .thenRefused('forbidden', { paths: [path] });
    only(set)
      .when('configuration.replace', { ...asking, content }, by)
      .thenRefused('forbidden', { paths: [path] });
    only(set)
      .when('configuration.roll-back', { ...asking, content: {}, to: -1 }, by)
      .thenRefused('forbidden', { paths: [path] });
  });
  it('a repository taken out by an operator', () =>
    given(configuration)
      .when('configuration.revise', { ...asking, changes: [{ path: '/repositories/shop', value: null }] }, by)
      .thenRefused('forbidden', { paths: ['/repositories/shop'] }));
  it('a way back over an administrator’s change by an operator', () =>
    given(configuration, revised({ agents: { ada: { command: ['x'] } } }, []))
      .when('configuration.roll-back', { ...asking, content: {}, to: -1 }, by)
      .thenRefused('forbidden', { paths: ['/agents/ada/command'] }));
});

const values = {
  '/repositories/shop/merge': ['never', 'squash', 'maybe'],
  '/limits/leaseSeconds': [1, 60, 90],
  '/flags/fast/percentage': [0, 50],
  '/rules/more/provider': ['github'],
  '/rules/more/label': ['a', 'b'],
} as const;
const paths = Object.keys(values) as (keyof typeof values)[];
const change = fc
  .constantFrom(...paths)
  .chain((path) =>
    fc
      .option(fc.constantFrom<unknown>(...values[path]), { nil: undefined })
      .map((value) => (value === undefined ? { path } : { path, value })),
  );
const wish = fc.oneof(
  fc.record({ changes: fc.array(change, { minLength: 1, maxLength: 3 }) }),
  fc.record({ to: fc.integer({ min: -1, max: 12 }) }),
);

it('whatever is changed and rolled back in whatever order: each revision has what a plain map has, or nothing happens', () => {
  fc.assert(
    fc.property(fc.array(wish, { maxLength: 20 }), (wishes) => {
      let state = configurationFold.initial;
      let model = new Map<string, unknown>();
      const history: { content: Content; model: Map<string, unknown> }[] = [];
      for (const asked of wishes) {
        const next = new Map('to' in asked ? (asked.to < 0 ? [] : (history[asked.to]?.model ?? model)) : model);
        if ('changes' in asked)
          for (const one of asked.changes)
            if ('value' in one) next.set(one.path, one.value);
            else next.delete(one.path);
        const isValid =
          next.get('/repositories/shop/merge') !== 'maybe' &&
          next.get('/limits/leaseSeconds') !== 1 &&
          next.has('/rules/more/provider') >= next.has('/rules/more/label');
        try {
          const events =
            'to' in asked
              ? configuration.decisions['configuration.roll-back'](
                  { ...admin, ...asked, content: asked.to < 0 ? {} : (history[asked.to]?.content ?? state.content) },
                  state,
                  by,
                )
              : configuration.decisions['configuration.revise']({ ...admin, ...asked }, state, by);
          expect(events.length).toBeLessThan(2);
          if (events.length === 1) expect(isValid).toBe(true);
          for (const event of events) state = configurationFold.evolve(state, event);
          model = next;
          if (events.length === 1) history.push({ content: state.content, model });
        } catch (error) {
          if (!(error instanceof CommandRefused)) throw error;
          expect(isValid).toBe(false);
        }
        expect(flat(state.content)).toEqual(new Map([...model].toSorted(([a], [b]) => (a < b ? -1 : 1))));
      }
    }),
    { numRuns: 100 },
  );
});

/** A content as the model has it. */
function flat(content: Content): Map<string, unknown> {
  const values: [string, unknown][] = [];
  for (const [section, named] of Object.entries(content))
    for (const [name, value] of Object.entries(named))
      if (section === 'limits') values.push([`/limits/${name}`, value]);
      else
        for (const [field, inner] of Object.entries(value as object))
          values.push([`/${section}/${name}/${field}`, inner]);
  return new Map(values.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
