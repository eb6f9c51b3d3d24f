import { plainSnapshot, type Fold } from '../../define-events.ts';
import type { Access, KnowledgeEvent } from './events.ts';

type Created = Extract<KnowledgeEvent, { type: 'KnowledgeCreated' }>['data'];

export type KnowledgeState = {
  /** The newest version, and who may read it; null: there is no such entry. */
  readonly entry: Created | null;
  /** From 1; 0: there is none. */
  readonly version: number;
  readonly related: readonly string[];
  readonly archived: boolean;
};

function evolve(state: KnowledgeState, event: KnowledgeEvent): KnowledgeState {
  switch (event.type) {
    case 'KnowledgeCreated':
      return { ...noEntry, entry: event.data, version: 1 };
    case 'KnowledgeRevised': {
      const { version, editor: _, ...text } = event.data;
      return { ...state, entry: { ...existing(state), ...text }, version };
    }
    case 'KnowledgeShared':
      return { ...state, entry: { ...existing(state), access: event.data.access } };
    case 'KnowledgeRelated':
      return { ...state, related: [...state.related, event.data.relatedId] };
    case 'KnowledgeUnrelated':
      return { ...state, related: state.related.filter((id) => id !== event.data.relatedId) };
    case 'KnowledgeArchived':
      return { ...state, archived: true };
    case 'KnowledgeRestored':
      return { ...state, archived: false };
  }
}

function existing({ entry }: KnowledgeState): Created {
  if (entry === null) throw new Error('an entry begins with KnowledgeCreated');
  return entry;
}

const noEntry: KnowledgeState = { entry: null, version: 0, related: [], archived: false };

export const knowledgeFold: Fold<KnowledgeState, KnowledgeEvent> = {
  type: 'knowledge',
  initial: noEntry,
  evolve,
  snapshot: plainSnapshot(1),
};

/** Who reads: queries say the same in SQL (`query-service/knowledge/readers.ts`). */
export type Reader = {
  readonly actor: string;
  readonly teams: readonly string[];
  /** Null: it is not limited. */
  readonly repositories: readonly string[] | null;
};

type Kept = { readonly author: string; readonly access: Access; readonly repository: string | null };

/** Whether an entry is there for a reader. */
export const isReadableBy = ({ author, access, repository }: Kept, { actor, teams, repositories }: Reader): boolean =>
  (repositories === null || (repository !== null && repositories.includes(repository))) &&
  (access.kind === 'all' || author === actor || (access.kind === 'team' && teams.includes(access.team)));
