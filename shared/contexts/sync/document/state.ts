import { plainSnapshot, type Fold } from '../../define-events.ts';
import type { DocumentConflict, DocumentEvent, DocumentRules } from './events.ts';
import { canonical, type Json, type JsonObject } from './json.ts';
import { applyPatch, type Change, valueAt } from './patch.ts';

/** A change that can be taken back. */
export type Past = {
  readonly version: number;
  readonly by: string;
  readonly source: string | null;
  /** Makes of the document what it was before. */
  readonly undo: readonly Change[];
  readonly size: number;
};

export type DocumentState = {
  readonly status: 'missing' | 'present' | 'deleted';
  /** The revision of its stream; -1: it is missing. */
  readonly version: number;
  readonly repository: string | null;
  readonly createdBy: string;
  readonly body: JsonObject;
  readonly digest: string;
  readonly rules: DocumentRules;
  /** Those that wait for a person. */
  readonly conflicts: readonly DocumentConflict[];
  /** The latest changes, oldest first: all since the version `oldest`, on which a proposal may begin. */
  readonly past: readonly Past[];
  readonly oldest: number;
};

/** How far back changes are held: in number, and in characters of what they take back. */
const MOST_PAST = 1_000;
const MOST_PAST_SIZE = 512 * 1024;

const initial: DocumentState = {
  ...{ status: 'missing', version: -1, repository: null, createdBy: '', body: {}, digest: '' },
  ...{ rules: { strategy: 'manual', fields: [], sources: [] }, conflicts: [], past: [], oldest: 0 },
};

function evolve(before: DocumentState, event: DocumentEvent): DocumentState {
  const state = { ...before, version: before.version + 1, digest: event.data.digest };
  switch (event.type) {
    case 'DocumentCreated': {
      const { repository, createdBy, rules, body } = event.data;
      return { ...state, status: 'present', repository, createdBy, rules, body: body as JsonObject };
    }
    case 'DocumentProposalSettled': {
      const { patch, conflicts, proposedBy: by, source } = event.data;
      const open = conflicts.filter(({ outcome }) => outcome === 'open');
      return { ...changed(state, patch as Change[], { by, source }), conflicts: [...state.conflicts, ...open] };
    }
    case 'DocumentConflictResolved': {
      const { patch, conflict, resolvedBy: by } = event.data;
      const conflicts = state.conflicts.filter(({ id }) => id !== conflict);
      return { ...changed(state, patch as Change[], { by, source: null }), conflicts };
    }
    case 'DocumentRulesChanged':
      return { ...state, rules: event.data.rules };
    case 'DocumentKept':
      return { ...state, body: event.data.body as JsonObject };
    case 'DocumentDeleted':
      return { ...initial, status: 'deleted', version: state.version, repository: state.repository };
  }
}

function changed(state: DocumentState, patch: readonly Change[], who: Pick<Past, 'by' | 'source'>): DocumentState {
  if (patch.length === 0) return state;
  const undo = undoOf(state.body, patch);
  const past = { version: state.version, ...who, undo, size: canonical(undo).length };
  return {
    ...state,
    body: applyPatch(state.body, patch) as JsonObject,
    ...latest([...state.past, past], state.oldest),
  };
}

function latest(past: readonly Past[], oldest: number): Pick<DocumentState, 'past' | 'oldest'> {
  let size = past.reduce((sum, one) => sum + one.size, 0);
  let from = Math.max(0, past.length - MOST_PAST);
  for (const { size: oldest } of past.slice(0, from)) size -= oldest;
  while (size > MOST_PAST_SIZE && from < past.length) size -= past[from++]!.size;
  return from === 0 ? { past, oldest } : { past: past.slice(from), oldest: past[from - 1]!.version };
}

/** What takes a patch back: no change of it is within another one. */
const undoOf = (body: Json, patch: readonly Change[]): readonly Change[] =>
  patch.map(({ path }): Change => {
    const was = valueAt(body, path);
    return was === undefined ? { op: 'remove', path } : { op: 'add', path, value: was };
  });

export const documentFold: Fold<DocumentState, DocumentEvent> = {
  type: 'document',
  initial,
  snapshot: plainSnapshot(1),
  evolve,
};
