import type { DocumentConflict, DocumentEvent } from '@workledger/shared/contexts/sync/document/events.ts';
import type { JsonObject } from '@workledger/shared/contexts/sync/document/json.ts';
import { applyPatch, type Change } from '@workledger/shared/contexts/sync/document/patch.ts';
import { documentModel, type DocumentRow } from '@workledger/shared/contexts/sync/document/row.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import { defineProjection, existing, type Recorded } from '../engine/projection.ts';
import { documentsMigrations } from './migration.ts';

export const documents = defineProjection<DocumentRow, Recorded<DocumentEvent>>(documentModel, {
  migrations: documentsMigrations,
  key: ({ stream }) => [streamId(stream)],
  fold: (row, event, id) => {
    const { revision } = event;
    const changedAt = event.recordedAt.toISOString();
    if (event.type === 'DocumentCreated') {
      const { rules, createdBy, ...data } = event.data;
      const who = { createdBy, createdAt: changedAt, changedBy: createdBy, changedAt };
      return { ...data, ...rules, ...who, id, revision, openConflicts: 0, conflicts: [] };
    }
    const before = existing(row, event);
    const { digest } = event.data;
    switch (event.type) {
      case 'DocumentProposalSettled': {
        const { patch, conflicts, proposedBy: changedBy } = event.data;
        const open = conflicts.filter(({ outcome }) => outcome === 'open');
        const changed = { changedBy, changedAt, digest, revision };
        return { ...withConflicts(before, [...before.conflicts, ...open]), body: after(before, patch), ...changed };
      }
      case 'DocumentConflictResolved': {
        const { patch, conflict, resolvedBy: changedBy } = event.data;
        const left = before.conflicts.filter((open) => open.id !== conflict);
        const changed = { changedBy, changedAt, digest, revision };
        return { ...withConflicts(before, left), body: after(before, patch), ...changed };
      }
      case 'DocumentRulesChanged':
        return { ...before, ...event.data.rules, changedBy: event.data.changedBy, changedAt, revision };
      case 'DocumentKept':
        return { ...before, revision };
      case 'DocumentDeleted':
        return undefined;
    }
  },
});

const withConflicts = (
  row: DocumentRow,
  conflicts: readonly (DocumentConflict | DocumentRow['conflicts'][number])[],
) => ({
  ...row,
  conflicts,
  openConflicts: conflicts.length,
});

const after = ({ body }: DocumentRow, patch: readonly unknown[]): JsonObject =>
  applyPatch(body as JsonObject, patch as readonly Change[]) as JsonObject;
