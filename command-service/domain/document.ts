import type { Aggregate } from '@workledger/shared/aggregate/aggregate.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import type { DataOf } from '@workledger/shared/contexts/define-commands.ts';
import { MOST_BYTES, type documentCommands } from '@workledger/shared/contexts/sync/document/commands.ts';
import {
  KEPT_EVERY,
  type DocumentConflict,
  type DocumentEvent,
  type DocumentRules,
} from '@workledger/shared/contexts/sync/document/events.ts';
import { digestOf } from '@workledger/shared/aggregate/canonical-json.ts';
import {
  canonical,
  faultOf,
  isObject,
  type Json,
  type JsonObject,
} from '@workledger/shared/contexts/sync/document/json.ts';
import {
  applyMerge,
  applyPatch,
  difference,
  PatchFailed,
  type Operation,
} from '@workledger/shared/contexts/sync/document/patch.ts';
import { documentFold, type DocumentState } from '@workledger/shared/contexts/sync/document/state.ts';
import { rebase } from './document-merge.ts';
import { settle } from './document-strategies.ts';

type Commands = DataOf<typeof documentCommands>;
type Ruled = 'document.create' | 'document.change-rules';
/** Which strategy is meant where none is named, is decided before they come here. */
export type DocumentDecisions = Omit<Commands, Ruled> & {
  [Type in Ruled]: Omit<Commands[Type], 'strategy'> & Pick<DocumentRules, 'strategy'>;
};
type Proposal = Commands['document.propose'];

/** Conflicts that may wait for a person, and those of one proposal. */
const MOST_OPEN = 100;
const MOST_CONFLICTS = 1_000;

/**
 * A document that several systems change at once, each on the version that it knows. Whatever is decided about a conflict is written down
 * with its outcome: whoever reads the events comes to the same document without deciding anew.
 */
export const document: Aggregate<DocumentState, DocumentEvent, DocumentDecisions> = {
  ...documentFold,
  decisions: {
    'document.create': ({ name, repository, body: given, ...rules }, state, { actor }) => {
      if (state.status !== 'missing') refuse('already-exists', 'this document exists already');
      demandSources(rules);
      const body = demandBody(given, 'body');
      return [
        { type: 'DocumentCreated', data: { name, repository, body, digest: digestOf(body), rules, createdBy: actor } },
      ];
    },
    'document.propose': (proposal, state, { actor }) => {
      demandThere(state);
      demandSource(state.rules, proposal.source, actor);
      const base = bodyAt(state, proposal.base);
      const wanted = demandBody(proposedOn(base, proposal), 'patch');
      const conflicts: DocumentConflict[] = [];
      const body = rebase(base, state.body, wanted, (contest) => {
        if (conflicts.length === MOST_CONFLICTS) outOfRange('patch', `at most ${MOST_CONFLICTS} fields in conflict`);
        const id = `${state.version + 1}-${conflicts.length}`;
        const { value, conflict } = settle(state, contest, { id, base: proposal.base, source: proposal.source });
        if (conflict !== null) conflicts.push(conflict);
        return value;
      });
      const patch = difference(state.body, demandBody(body, 'patch'));
      if (patch.length === 0 && conflicts.length === 0) return [];
      demandRoom(state, conflicts);
      const isWhole = conflicts.every(({ outcome }) => outcome === 'proposed' || outcome === 'merged');
      const outcome = isWhole ? ('applied' as const) : patch.length === 0 ? ('rejected' as const) : ('partly' as const);
      const { base: version, source } = proposal;
      const data = { base: version, source, proposedBy: actor, outcome, patch, conflicts, digest: digestOf(body) };
      return withWhole(state, { type: 'DocumentProposalSettled', data });
    },
    'document.resolve': ({ conflict: id, choose: choice, value }, state, { actor }) => {
      demandThere(state);
      const conflict = state.conflicts.find((open) => open.id === id);
      if (conflict === undefined) return refuse('not-found', `no conflict ${id} of this document waits for anybody`);
      if ((choice === 'value') !== (value !== undefined))
        outOfRange('value', 'comes with choose: value, and only then');
      const { path } = conflict;
      const wanted =
        choice === 'current' ? state.body : resolved(state.body, conflict, choice === 'value' ? { value } : null);
      const body = demandBody(wanted, 'value');
      const patch = difference(state.body, body);
      const data = { conflict: id, path, choice, resolvedBy: actor, patch, digest: digestOf(body) };
      return withWhole(state, { type: 'DocumentConflictResolved', data });
    },
    'document.change-rules': (rules, state, { actor }) => {
      demandThere(state);
      demandSources(rules);
      if (canonical(rules) === canonical(state.rules)) return [];
      const data = { rules, changedBy: actor, digest: state.digest };
      return withWhole(state, { type: 'DocumentRulesChanged', data });
    },
    'document.delete': (_, state, { actor }) => {
      if (state.status === 'deleted') return [];
      demandThere(state);
      return [{ type: 'DocumentDeleted', data: { deletedBy: actor, digest: state.digest } }];
    },
  },
};

function demandThere({ status }: DocumentState): void {
  if (status !== 'present') refuse('not-found', 'there is no such document');
}

/** The log has the whole at every so many versions, whatever the event before it was. */
function withWhole(state: DocumentState, event: DocumentEvent): readonly DocumentEvent[] {
  const { version, body, digest } = documentFold.evolve(state, event);
  return (version + 1) % KEPT_EVERY === 0 ? [event, { type: 'DocumentKept', data: { body, digest } }] : [event];
}

/** The document as it was. @throws CommandRefused where that is too far back, or yet to come */
function bodyAt({ version, oldest, past, body }: DocumentState, base: number): JsonObject {
  if (base > version) outOfRange('base', `this document is at version ${version}`, { version });
  if (base < oldest)
    refuse('base-too-old', `version ${base} is too far back to be changed: take the document anew`, {
      version,
      oldest,
    });
  const undone = past.filter((one) => one.version > base);
  return undone.toReversed().reduce<Json>((value, { undo }) => applyPatch(value, undo), body) as JsonObject;
}

function proposedOn(base: JsonObject, { patch, merge }: Proposal): Json {
  if ((patch === undefined) === (merge === undefined)) return outOfRange('patch', 'use one of patch and merge');
  const fault = faultOf(patch ?? merge);
  if (fault !== null) outOfRange(patch === undefined ? 'merge' : 'patch', fault);
  if (merge !== undefined) return applyMerge(base, merge as JsonObject);
  try {
    return applyPatch(base, patch as readonly Operation[]);
  } catch (error) {
    if (error instanceof PatchFailed) return outOfRange('patch', error.message);
    throw error;
  }
}

function demandBody(value: unknown, field: string): JsonObject {
  if (!isObject(value)) return outOfRange(field, 'a document is an object');
  const fault = faultOf(value);
  if (fault !== null) outOfRange(field, fault);
  const bytes = Buffer.byteLength(canonical(value));
  if (bytes > MOST_BYTES) refuse('too-large', `a document has at most ${MOST_BYTES} bytes; this would have ${bytes}`);
  return value;
}

function demandSources({ sources }: DocumentRules): void {
  if (new Set(sources.map(({ name }) => name)).size < sources.length) outOfRange('sources', 'name each source once');
}

function demandSource({ sources }: DocumentRules, source: string | null, actor: string): void {
  if (source === null) return;
  const known = sources.find(({ name }) => name === source);
  if (known === undefined)
    return outOfRange('source', `is none of this document: ${sources.map(({ name }) => name).join(', ')}`);
  if (known.participants.length > 0 && !known.participants.includes(actor))
    refuse('forbidden', `only its participants speak for the source ${source}`);
}

function demandRoom(state: DocumentState, conflicts: readonly DocumentConflict[]): void {
  const open = [...state.conflicts, ...conflicts.filter(({ outcome }) => outcome === 'open')];
  if (
    open.length > state.conflicts.length &&
    (open.length > MOST_OPEN || canonical(open as unknown as Json).length > 2 * MOST_BYTES)
  )
    refuse('illegal-transition', 'too many conflicts of this document wait for a person: settle these first', {
      open: state.conflicts.length,
    });
}

/** The document with a conflict settled. @param given another value than that which was proposed */
function resolved(body: JsonObject, { path, proposed }: DocumentConflict, given: DocumentConflict['current']): Json {
  const side = given ?? proposed;
  const fault = faultOf(side?.value ?? null);
  if (fault !== null) outOfRange('value', fault);
  try {
    if (side !== null) return applyPatch(body, [{ op: 'add', path, value: side.value as Json }]);
    return applyPatch(body, [{ op: 'remove', path }]);
  } catch (error) {
    if (!(error instanceof PatchFailed)) throw error;
    // What was to be removed is not there any more.
    if (side === null) return body;
    return refuse('illegal-transition', `there is no place for ${path} any more: choose what stands`, { path });
  }
}

const outOfRange = (field: string, message: string, facts: object = {}): never =>
  refuse('out-of-range', `${field}: ${message}`, { ...facts, errors: [{ path: `body.${field}`, message }] });
