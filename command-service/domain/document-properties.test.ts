import type { DocumentEvent, DocumentRules, Strategy } from '@workledger/shared/contexts/sync/document/events.ts';
import { digestOf } from '@workledger/shared/aggregate/canonical-json.ts';
import { canonical, type Json, type JsonObject } from '@workledger/shared/contexts/sync/document/json.ts';
import { applyPatch, type Change } from '@workledger/shared/contexts/sync/document/patch.ts';
import { documentFold, type DocumentState } from '@workledger/shared/contexts/sync/document/state.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { document } from './document.ts';

const strategies = ['last-writer', 'first-writer', 'source-priority', 'field-merge', 'text-merge', 'manual'] as const;
const rulesOf = (strategy: Strategy): DocumentRules => ({
  ...{ strategy, fields: [] },
  sources: [{ name: 'crm', priority: 5, participants: [] }],
});

/** Creates a document, and sends proposals on the versions that their authors know. */
function start(body: JsonObject, rules: DocumentRules) {
  const context = { id: '1', actor: 'key:0' };
  const events: DocumentEvent[] = [];
  let state: DocumentState = documentFold.initial;
  const add = (more: readonly DocumentEvent[]): void => {
    events.push(...more);
    state = more.reduce(documentFold.evolve, state);
  };
  add(document.decisions['document.create']({ name: 'x', repository: null, body, ...rules }, state, context));
  return {
    events,
    state: () => state,
    propose: (merge: object, base = state.version, source: string | null = null): void =>
      add(document.decisions['document.propose']({ base, merge, source }, state, context)),
  };
}

const keys = fc.constantFrom('a', 'b', 'c');
const plain = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constantFrom('one two', 'one three', 'x\ny\n'));
const value: fc.Arbitrary<Json> = fc.oneof(
  plain,
  fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
  fc.array(fc.record({ id: fc.integer({ min: 0, max: 3 }), n: plain }), { maxLength: 3 }),
  fc.dictionary(keys, plain, { maxKeys: 3 }),
);
const object = fc.dictionary(keys, value, { maxKeys: 3 });
const proposals = fc.array(
  fc.record({
    merge: fc.dictionary(keys, fc.oneof(value, fc.constant(null)), { minKeys: 1, maxKeys: 3 }),
    behind: fc.nat({ max: 8 }),
    source: fc.constantFrom(null, 'crm'),
  }),
  { maxLength: 30 },
);

it('whatever is proposed on whatever version, whoever folds the events has the same document at each of them', () => {
  fc.assert(
    fc.property(object, fc.constantFrom(...strategies), proposals, (body, strategy, told) => {
      const { events, state, propose } = start(body, rulesOf(strategy));
      for (const { merge, behind, source } of told) propose(merge, Math.max(0, state().version - behind), source);
      let copy: Json = body;
      for (const { type, data } of events) {
        if (type === 'DocumentProposalSettled') copy = applyPatch(copy, data.patch as Change[]);
        expect(digestOf(copy)).toBe(data.digest);
      }
      expect(canonical(copy)).toBe(canonical(state().body));
      const open = events.flatMap(({ type, data }) => (type === 'DocumentProposalSettled' ? data.conflicts : []));
      expect(state().conflicts).toEqual(open.filter(({ outcome }) => outcome === 'open'));
    }),
    { numRuns: 300 },
  );
});

it('what is proposed on the version that stands is taken as it is, whatever came before', () => {
  fc.assert(
    fc.property(object, fc.constantFrom(...strategies), proposals, (body, strategy, told) => {
      const { events, state, propose } = start(body, rulesOf(strategy));
      for (const { merge } of told) propose(merge);
      expect(events.every(({ type, data }) => type !== 'DocumentProposalSettled' || data.outcome === 'applied')).toBe(
        true,
      );
      const last = told.at(-1)?.merge ?? {};
      for (const [key, wanted] of Object.entries(last))
        if (typeof wanted !== 'object') expect(state().body[key]).toEqual(wanted);
    }),
  );
});

describe('of those that change a field at once', () => {
  const several = fc.array(fc.integer({ min: 1, max: 99 }), { minLength: 2, maxLength: 8 });
  const numbered = (strategy: Strategy, told: readonly number[], sources: readonly (string | null)[] = []) => {
    const { state, propose } = start({ x: 0 }, rulesOf(strategy));
    for (const [place, x] of told.entries()) propose({ x }, 0, sources[place] ?? null);
    return state();
  };

  it('the last one wins, or the first, as the strategy says', () => {
    fc.assert(
      fc.property(several, (told) => {
        expect(numbered('last-writer', told).body['x']).toBe(told.at(-1));
        expect(numbered('first-writer', told).body['x']).toBe(told[0]);
      }),
    );
  });

  it('the last of the highest source wins', () => {
    fc.assert(
      fc.property(several, fc.array(fc.constantFrom(null, 'crm'), { minLength: 8, maxLength: 8 }), (told, sources) => {
        // One who proposes what stands anyway writes nothing: values that differ say who wrote.
        const values = told.map((x, place) => x * 10 + place);
        const strong = values.filter((_, place) => sources[place] === 'crm');
        expect(numbered('source-priority', values, sources).body['x']).toBe(
          (strong.length > 0 ? strong : values).at(-1),
        );
      }),
    );
  });

  it('numbers add up, in whatever order they come', () => {
    fc.assert(
      fc.property(several, (told) => {
        const sum = told.reduce((all, one) => all + one, 0);
        expect(numbered('field-merge', told).body['x']).toBe(sum);
      }),
    );
  });

  it('a list is a set: what anybody added is in it, what anybody removed is not', () => {
    const items = fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { maxLength: 6 });
    fc.assert(
      fc.property(items, fc.array(items, { minLength: 1, maxLength: 5 }), (was, told) => {
        const { state, propose } = start({ x: was }, rulesOf('field-merge'));
        for (const x of told) propose({ x }, 0);
        const kept = was.filter((item) => told.every((list) => list.includes(item)));
        const added = told.flat().filter((item) => !was.includes(item));
        expect(new Set(state().body['x'] as number[])).toEqual(new Set([...kept, ...added]));
      }),
    );
  });

  it('each waits for a person, and what came first stands meanwhile', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 99 }), { minLength: 2, maxLength: 8 }), (told) => {
        const { body, conflicts } = numbered('manual', told);
        expect(body['x']).toBe(told[0]);
        expect(conflicts.map(({ proposed }) => proposed?.value)).toEqual(told.slice(1));
      }),
    );
  });
});
