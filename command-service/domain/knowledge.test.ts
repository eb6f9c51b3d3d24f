import { given } from '@workledger/shared/aggregate/testing.ts';
import type { Access, KnowledgeEvent } from '@workledger/shared/contexts/agent/knowledge/events.ts';
import { knowledgeFold } from '@workledger/shared/contexts/agent/knowledge/state.ts';
import { CommandRefused } from '@workledger/shared/commands/refusal.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { knowledge } from './knowledge.ts';

const ada = 'agent:0190a000-0000-7000-8000-0000000000a1';
const bob = 'user:0190a000-0000-7000-8000-0000000000b1';
const text = {
  title: 'Pools',
  content: 'Keep them small.',
  category: 'databases',
  tags: ['sql'],
  language: 'english' as const,
};
const all: Access = { kind: 'all' };
const team: Access = { kind: 'team', team: 'core' };
const creation = { ...text, access: all, repository: null };
const created: KnowledgeEvent = { type: 'KnowledgeCreated', data: { author: ada, ...creation } };
const archived: KnowledgeEvent = { type: 'KnowledgeArchived', data: { reason: 'old' } };
const restored: KnowledgeEvent = { type: 'KnowledgeRestored', data: {} };
const relatedId = '0190a000-0000-7000-8000-0000000000c1';
const related: KnowledgeEvent = { type: 'KnowledgeRelated', data: { relatedId } };

describe('an entry', () => {
  it('is created by its author', () =>
    given(knowledge).when('knowledge.create', creation, { actor: ada }).then(created));
  it('is created once', () =>
    given(knowledge, created).when('knowledge.create', creation).thenRefused('already-exists'));
});

describe('revising an entry', () => {
  it('makes a whole new version, and says who did', () =>
    given(knowledge, created)
      .when('knowledge.revise', { content: 'Ten at most.' }, { actor: bob })
      .then({
        type: 'KnowledgeRevised',
        data: { author: ada, version: 2, editor: bob, ...text, content: 'Ten at most.' },
      }));
  it('can take its category away', () =>
    given(knowledge, created)
      .when('knowledge.revise', { category: null })
      .thenState(({ entry, version }) => expect([entry?.category, version]).toEqual([null, 2])));
  it('to what it says already is nothing', () =>
    given(knowledge, created)
      .when('knowledge.revise', { title: text.title, tags: ['sql'] })
      .then());
  it('refuses one that is archived', () =>
    given(knowledge, created, archived).when('knowledge.revise', { title: 'x' }).thenRefused('illegal-transition'));
  it('refuses one that is not there', () =>
    given(knowledge).when('knowledge.revise', { title: 'x' }).thenRefused('not-found'));
});

describe('sharing an entry', () => {
  it('changes who may read it', () =>
    given(knowledge, created)
      .when('knowledge.share', { access: team })
      .then({ type: 'KnowledgeShared', data: { access: team } }));
  it('with whom it is shared already is nothing', () =>
    given(knowledge, created).when('knowledge.share', { access: all }).then());
  it('goes also where it is archived, since it stays readable', () =>
    given(knowledge, created, archived)
      .when('knowledge.share', { access: { kind: 'private' } })
      .then({ type: 'KnowledgeShared', data: { access: { kind: 'private' } } }));
  it('refuses one that is not there', () =>
    given(knowledge).when('knowledge.share', { access: all }).thenRefused('not-found'));
});

describe('relating an entry', () => {
  it('names the other', () => given(knowledge, created).when('knowledge.relate', { relatedId }).then(related));
  it('twice is nothing', () => given(knowledge, created, related).when('knowledge.relate', { relatedId }).then());
  it('refuses itself', () =>
    given(knowledge, created).when('knowledge.relate', { relatedId }, { id: relatedId }).thenRefused('out-of-range'));
  it('refuses the hundred and first', () => {
    const many = Array.from({ length: 100 }, (_, number): KnowledgeEvent => ({
      type: 'KnowledgeRelated',
      data: { relatedId: `other ${number}` },
    }));
    given(knowledge, created, ...many)
      .when('knowledge.relate', { relatedId })
      .thenRefused('out-of-range');
  });
  it('refuses one that is archived', () =>
    given(knowledge, created, archived).when('knowledge.relate', { relatedId }).thenRefused('illegal-transition'));
  it('ends', () =>
    given(knowledge, created, related)
      .when('knowledge.unrelate', { relatedId })
      .then({ type: 'KnowledgeUnrelated', data: { relatedId } }));
  it('ends once', () => given(knowledge, created).when('knowledge.unrelate', { relatedId }).then());
});

describe('archiving an entry', () => {
  it('tells why', () => given(knowledge, created).when('knowledge.archive', { reason: 'old' }).then(archived));
  it('twice is nothing', () =>
    given(knowledge, created, archived).when('knowledge.archive', { reason: 'again' }).then());
  it('refuses one that is not there', () =>
    given(knowledge).when('knowledge.archive', { reason: 'old' }).thenRefused('not-found'));
  it('is taken back', () => given(knowledge, created, archived).when('knowledge.restore', {}).then(restored));
  it('is taken back once', () => given(knowledge, created).when('knowledge.restore', {}).then());
  it('of what is not there is not taken back', () =>
    given(knowledge).when('knowledge.restore', {}).thenRefused('not-found'));
});

const command = fc.oneof(
  fc.record({ type: fc.constant('create' as const), title: fc.constantFrom('a', 'b', 'c') }),
  fc.record({ type: fc.constant('revise' as const), title: fc.constantFrom('a', 'b', 'c') }),
  fc.record({ type: fc.constant('share' as const), access: fc.constantFrom<Access>(all, team, { kind: 'private' }) }),
  fc.record({
    type: fc.constantFrom('relate' as const, 'unrelate' as const),
    relatedId: fc.constantFrom('x', 'y', 'z'),
  }),
  fc.record({ type: fc.constantFrom('archive' as const, 'restore' as const) }),
);

it('whatever comes: versions count up by one, none is said twice, and an archived entry keeps its words', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
      let state = knowledgeFold.initial;
      const model = { titles: [] as string[], access: all as Access, related: new Set<string>(), archived: false };
      for (const each of commands) {
        const isThere = model.titles.length > 0;
        const isOpen = isThere && !model.archived;
        const events = decide(state, each);
        expect(events === 'refused').toBe(
          each.type === 'create' ? isThere : ['revise', 'relate', 'unrelate'].includes(each.type) ? !isOpen : !isThere,
        );
        if (events === 'refused') continue;
        for (const event of events) state = knowledgeFold.evolve(state, event);
        if (each.type === 'create' || (each.type === 'revise' && each.title !== model.titles.at(-1)))
          model.titles.push(each.title);
        if (each.type === 'share') model.access = each.access;
        if (each.type === 'relate') model.related.add(each.relatedId);
        if (each.type === 'unrelate') model.related.delete(each.relatedId);
        if (each.type === 'archive' || each.type === 'restore') model.archived = each.type === 'archive';
        expect({
          version: state.version,
          title: state.entry?.title,
          access: state.entry?.access,
          related: new Set(state.related),
          archived: state.archived,
        }).toEqual({
          version: model.titles.length,
          title: model.titles.at(-1),
          access: model.access,
          related: model.related,
          archived: model.archived,
        });
      }
    }),
    { numRuns: 300 },
  );
});

type Random = typeof command extends fc.Arbitrary<infer Value> ? Value : never;

function decide(state: typeof knowledgeFold.initial, each: Random): readonly KnowledgeEvent[] | 'refused' {
  const context = { id: 'own', actor: ada };
  const { decisions } = knowledge;
  try {
    switch (each.type) {
      case 'create':
        return decisions['knowledge.create']({ ...creation, title: each.title }, state, context);
      case 'revise':
        return decisions['knowledge.revise']({ title: each.title }, state, context);
      case 'share':
        return decisions['knowledge.share']({ access: each.access }, state, context);
      case 'relate':
      case 'unrelate':
        return decisions[`knowledge.${each.type}`]({ relatedId: each.relatedId }, state, context);
      case 'archive':
        return decisions['knowledge.archive']({ reason: 'old' }, state, context);
      case 'restore':
        return decisions['knowledge.restore']({}, state, context);
    }
  } catch (error) {
    if (error instanceof CommandRefused) return 'refused';
    throw error;
  }
}
