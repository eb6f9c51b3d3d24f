import { given } from '@workledger/shared/aggregate/testing.ts';
import type {
  DocumentConflict,
  DocumentEvent,
  DocumentRules,
  Strategy,
} from '@workledger/shared/contexts/sync/document/events.ts';
import { digestOf } from '@workledger/shared/aggregate/canonical-json.ts';
import type { JsonObject } from '@workledger/shared/contexts/sync/document/json.ts';
import { documentFold } from '@workledger/shared/contexts/sync/document/state.ts';
import { describe, expect, it } from 'vitest';
import { document } from './document.ts';

const [ann, ben, cat] = ['key:1', 'key:2', 'key:3'];
const rulesOf = (strategy: Strategy, more: Partial<DocumentRules> = {}): DocumentRules => ({
  ...{ strategy, fields: [], sources: [] },
  ...more,
});
const created = (body: JsonObject, rules: DocumentRules): DocumentEvent => ({
  type: 'DocumentCreated',
  data: { name: 'plan', repository: null, body, digest: digestOf(body), rules, createdBy: ann },
});
/** Ann has changed it to this since version 0. */
const changedTo = (body: JsonObject, path: string, value: unknown, source: string | null = null): DocumentEvent => ({
  type: 'DocumentProposalSettled',
  data: {
    ...{ base: 0, source, proposedBy: ann, outcome: 'applied', conflicts: [], digest: digestOf(body) },
    patch: [{ op: 'replace', path, value }],
  },
});
const put = (path: string, value: unknown, more: object = {}) => ({
  ...{ base: 0, source: null, patch: [{ op: 'replace' as const, path, value }] },
  ...more,
});

/** What becomes of a field that Ann changed, and Ben, too, on the version before. */
function contest(was: unknown, is: unknown, wanted: unknown, rules: DocumentRules, sources: (string | null)[] = []) {
  const [first = null, second = null] = sources;
  let seen: { body: unknown; outcome: string; open: number } | undefined;
  given(document, created({ x: was } as JsonObject, rules), changedTo({ x: is } as JsonObject, '/x', is, first))
    .when('document.propose', put('/x', wanted, { source: second }), { actor: ben })
    .thenState(({ body, conflicts }) => (seen = { body: body['x'], outcome: '', open: conflicts.length }));
  return seen;
}

describe('a shared document', () => {
  const body = { title: 'a', owner: { name: 'n' } };
  const there = created(body, rulesOf('manual'));

  it('is created once, with its digest', () => {
    const data = { name: 'plan', repository: null, body, ...rulesOf('manual') };
    given(document).when('document.create', data, { actor: ann }).then(there);
    given(document, there).when('document.create', data).thenRefused('already-exists');
  });

  it('takes fields that nobody else has changed since, wherever the proposal began', () =>
    given(document, there, changedTo({ ...body, title: 'b' }, '/title', 'b'))
      .when('document.propose', put('/owner/name', 'm'), { actor: ben })
      .then({
        type: 'DocumentProposalSettled',
        data: {
          ...{ base: 0, source: null, proposedBy: ben, outcome: 'applied', conflicts: [] },
          patch: [{ op: 'replace', path: '/owner/name', value: 'm' }],
          digest: digestOf({ title: 'b', owner: { name: 'm' } }),
        },
      }));

  it('keeps both sides of a conflict for a person, and what stood before', () => {
    const conflict: DocumentConflict = {
      ...{ id: '2-0', path: '/title', strategy: 'manual', outcome: 'open' },
      ...{ current: { value: 'b' }, proposed: { value: 'c' }, currentBy: ann, currentSource: null, currentVersion: 1 },
    };
    const changed = changedTo({ ...body, title: 'b' }, '/title', 'b');
    const digest = digestOf({ ...body, title: 'b' });
    const settled: DocumentEvent = {
      type: 'DocumentProposalSettled',
      data: {
        ...{ base: 0, source: null, proposedBy: ben, outcome: 'rejected', patch: [], conflicts: [conflict], digest },
      },
    };
    given(document, there, changed).when('document.propose', put('/title', 'c'), { actor: ben }).then(settled);
    const resolve = (choose: 'current' | 'proposed' | 'value', value?: unknown) =>
      given(document, there, changed, settled).when(
        'document.resolve',
        { conflict: '2-0', choose, value },
        { actor: cat },
      );
    resolve('current').thenState(({ body: now, conflicts }) =>
      expect([now, conflicts]).toEqual([{ ...body, title: 'b' }, []]),
    );
    resolve('proposed').thenState(({ body: now }) => expect(now).toEqual({ ...body, title: 'c' }));
    resolve('value', 'd').thenState(({ body: now }) => expect(now).toEqual({ ...body, title: 'd' }));
    resolve('value').thenRefused('out-of-range');
    resolve('current', 'd').thenRefused('out-of-range');
    given(document, there).when('document.resolve', { conflict: '2-0', choose: 'current' }).thenRefused('not-found');
  });

  it('changes nothing where it is so already', () =>
    given(document, there, changedTo({ ...body, title: 'b' }, '/title', 'b'))
      .when('document.propose', put('/title', 'b'), { actor: ben })
      .then());

  it('has other rules from now on', () => {
    const rules = rulesOf('last-writer');
    given(document, there)
      .when('document.change-rules', rules, { actor: ann })
      .then({ type: 'DocumentRulesChanged', data: { rules, changedBy: ann, digest: digestOf(body) } });
    given(document, there).when('document.change-rules', rulesOf('manual')).then();
    const twice = { name: 's', priority: 1, participants: [] };
    given(document, there)
      .when('document.change-rules', rulesOf('manual', { sources: [twice, twice] }))
      .thenRefused('out-of-range');
  });

  it('is deleted, and takes nothing more', () => {
    const deleted: DocumentEvent = { type: 'DocumentDeleted', data: { deletedBy: ann, digest: digestOf(body) } };
    given(document, there).when('document.delete', {}, { actor: ann }).then(deleted);
    given(document, there, deleted).when('document.delete', {}).then();
    given(document, there, deleted).when('document.propose', put('/title', 'x')).thenRefused('not-found');
    given(document).when('document.delete', {}).thenRefused('not-found');
  });

  it.each([
    ['neither patch nor merge', { base: 0, source: null }, 'out-of-range'],
    ['a place that is not there', put('/nothing/here', 1), 'out-of-range'],
    [
      'a test that does not hold',
      { ...put('/title', 1), patch: [{ op: 'test', path: '/title', value: 'z' }] },
      'out-of-range',
    ],
    ['a version to come', put('/title', 'x', { base: 7 }), 'out-of-range'],
    ['no object', { ...put('', 7) }, 'out-of-range'],
    ['what objects inherit', put('/__proto__/polluted', 1), 'out-of-range'],
    ['the key __proto__', put('/title', JSON.parse('{"__proto__":1}')), 'out-of-range'],
    ['U+0000', put('/title', '\u0000'), 'out-of-range'],
    ['a source that is none', put('/title', 'x', { source: 'nobody' }), 'out-of-range'],
    ['more than 128 KiB', put('/title', 'x'.repeat(140_000)), 'too-large'],
  ] as const)('refuses %s', (_, data, code) =>
    given(document, there)
      .when('document.propose', data as never)
      .thenRefused(code),
  );

  it('has the whole in its log at every hundredth version, and takes proposals on a thousand versions', () => {
    const history: DocumentEvent[] = [there];
    let state = documentFold.evolve(documentFold.initial, there);
    while (state.version < 1_300) {
      const data = put('/title', `t${state.version}`, { base: state.version });
      const events = document.decisions['document.propose'](data, state, { id: '1', actor: ann });
      history.push(...events);
      state = events.reduce(documentFold.evolve, state);
    }
    expect(history.flatMap(({ type }, version) => (type === 'DocumentKept' ? [version] : []))).toEqual(
      Array.from({ length: 13 }, (__, hundred) => (hundred + 1) * 100),
    );
    const propose = (base: number) =>
      document.decisions['document.propose'](put('/owner/name', 'm', { base }), state, { id: '1', actor: ben });
    expect(propose(400)[0]?.data).toMatchObject({ outcome: 'applied' });
    expect(() => propose(100)).toThrow(expect.objectContaining({ code: 'base-too-old' }));
  });
});

describe('a field that both changed', () => {
  const sources = [
    { name: 'crm', priority: 9, participants: [] },
    { name: 'wiki', priority: 3, participants: [cat] },
  ];
  it.each<[string, unknown, unknown, unknown, DocumentRules, unknown, number]>([
    ['is the last writer’s', 1, 2, 3, rulesOf('last-writer'), 3, 0],
    ['is the first writer’s', 1, 2, 3, rulesOf('first-writer'), 2, 0],
    ['waits for a person', 1, 2, 3, rulesOf('manual'), 2, 1],
    ['adds up, if it is a number', 10, 12, 5, rulesOf('field-merge'), 7, 0],
    ['is a set, if it is a list', ['a', 'b'], ['b', 'c'], ['a', 'b', 'd'], rulesOf('field-merge'), ['b', 'c', 'd'], 0],
    [
      'is merged by id, if it is a list of things',
      [{ id: 1, n: 'a', m: 'b' }],
      [{ id: 1, n: 'x', m: 'b' }, { id: 2 }],
      [{ id: 1, n: 'a', m: 'y' }, { id: 3 }],
      rulesOf('field-merge'),
      [{ id: 1, n: 'x', m: 'y' }, { id: 2 }, { id: 3 }],
      0,
    ],
    ['waits, if a text was changed twice', 'a', 'b', 'c', rulesOf('field-merge'), 'b', 1],
    ['is merged by lines', 'a\nb\nc\n', 'A\nb\nc\n', 'a\nb\nC\n', rulesOf('text-merge'), 'A\nb\nC\n', 0],
    [
      'is merged by words',
      'one two three',
      'One two three',
      'one two Three',
      rulesOf('text-merge'),
      'One two Three',
      0,
    ],
    ['waits, if the same line was changed', 'a\nb\n', 'x\nb\n', 'y\nb\n', rulesOf('text-merge'), 'x\nb\n', 1],
    [
      'has a strategy of its own',
      1,
      2,
      3,
      rulesOf('manual', { fields: [{ path: '/x', strategy: 'last-writer' }] }),
      3,
      0,
    ],
  ])('%s', (_, was, is, wanted, rules, body, open) =>
    expect(contest(was, is, wanted, rules)).toMatchObject({ body, open }),
  );

  it('is that of the source that counts more, and of the later one where both count the same', () => {
    const rules = rulesOf('source-priority', { sources });
    expect(contest(1, 2, 3, rules, ['crm', null])).toMatchObject({ body: 2 });
    expect(contest(1, 2, 3, rules, [null, 'crm'])).toMatchObject({ body: 3 });
    expect(contest(1, 2, 3, rules, ['crm', 'crm'])).toMatchObject({ body: 3 });
    expect(() => contest(1, 2, 3, rules, [null, 'wiki'])).toThrow(expect.objectContaining({ code: 'forbidden' }));
  });
});
