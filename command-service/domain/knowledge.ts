import type { Aggregate } from '@workledger/shared/aggregate/aggregate.ts';
import { canonicalJson } from '@workledger/shared/aggregate/canonical-json.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import type { knowledgeCommands } from '@workledger/shared/contexts/agent/knowledge/commands.ts';
import type { KnowledgeEvent } from '@workledger/shared/contexts/agent/knowledge/events.ts';
import { knowledgeFold, type KnowledgeState } from '@workledger/shared/contexts/agent/knowledge/state.ts';
import type { DataOf } from '@workledger/shared/contexts/define-commands.ts';

/** Without what is counted and never decided. */
export type KnowledgeDecisions = Omit<DataOf<typeof knowledgeCommands>, 'knowledge.use'>;

const MOST_RELATED = 100;

/**
 * What somebody learned and others are to find. Each revision is a version that stays readable; an archived entry is changed by nothing
 * but its restoration and its access, which must be narrowed whenever that is needed. Who may change it, its process asks.
 */
export const knowledge: Aggregate<KnowledgeState, KnowledgeEvent, KnowledgeDecisions> = {
  ...knowledgeFold,
  decisions: {
    'knowledge.create': (data, { entry }, { actor }) => {
      if (entry !== null) refuse('already-exists', 'this entry exists already');
      return [{ type: 'KnowledgeCreated', data: { author: actor, ...data } }];
    },
    'knowledge.revise': (changes, state, { actor }) => {
      const { author, title, content, category, tags, language } = current(state);
      const before = { title, content, category, tags, language };
      const given = Object.entries(changes).filter(([, value]) => value !== undefined);
      const text = { ...before, ...(Object.fromEntries(given) as Partial<typeof before>) };
      if (canonicalJson(text) === canonicalJson(before)) return [];
      return [{ type: 'KnowledgeRevised', data: { author, version: state.version + 1, editor: actor, ...text } }];
    },
    'knowledge.share': ({ access }, state) => {
      const entry = existing(state);
      return canonicalJson(entry.access) === canonicalJson(access)
        ? []
        : [{ type: 'KnowledgeShared', data: { access } }];
    },
    'knowledge.relate': ({ relatedId }, state, { id }) => {
      current(state);
      if (relatedId === id) refuse('out-of-range', 'an entry is not related to itself', { errors: [PATH] });
      if (state.related.includes(relatedId)) return [];
      if (state.related.length >= MOST_RELATED)
        refuse('out-of-range', `an entry names at most ${MOST_RELATED} others`, { errors: [PATH] });
      return [{ type: 'KnowledgeRelated', data: { relatedId } }];
    },
    'knowledge.unrelate': ({ relatedId }, state) => {
      current(state);
      return state.related.includes(relatedId) ? [{ type: 'KnowledgeUnrelated', data: { relatedId } }] : [];
    },
    'knowledge.archive': ({ reason }, state) => {
      existing(state);
      return state.archived ? [] : [{ type: 'KnowledgeArchived', data: { reason } }];
    },
    'knowledge.restore': (_, state) => {
      existing(state);
      return state.archived ? [{ type: 'KnowledgeRestored', data: {} }] : [];
    },
  },
};

const PATH = { path: 'relatedId', message: 'another entry' };

/** @throws CommandRefused `not-found` */
function existing({ entry }: KnowledgeState) {
  return entry ?? refuse('not-found', 'there is no such entry');
}

/** @throws CommandRefused `not-found`, `illegal-transition` */
function current(state: KnowledgeState) {
  const entry = existing(state);
  if (state.archived) refuse('illegal-transition', 'this entry is archived: restore it first', { archived: true });
  return entry;
}
