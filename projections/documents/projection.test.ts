import { history, timeOf } from '@workledger/infra/testing/events/history.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { DocumentEvent } from '@workledger/shared/contexts/sync/document/events.ts';
import { digestOf } from '@workledger/shared/aggregate/canonical-json.ts';
import type { JsonObject } from '@workledger/shared/contexts/sync/document/json.ts';
import { expect, it } from 'vitest';
import { foldAll } from '../engine/fold-all.ts';
import { documents } from './projection.ts';

const digest = (body: JsonObject): { readonly digest: string } => ({ digest: digestOf(body) });
const rules = { strategy: 'manual' as const, fields: [], sources: [] };
const conflict = {
  ...{ id: '1-0', path: '/y', strategy: 'manual' as const, outcome: 'open' as const },
  ...{ proposed: { value: 2 }, current: null, currentBy: 'key:1', currentSource: null, currentVersion: 0 },
};
const created: DocumentEvent = {
  type: 'DocumentCreated',
  data: { name: 'plan', repository: 'shop', body: { x: 1 }, ...digest({ x: 1 }), rules, createdBy: 'key:1' },
};
const changed: DocumentEvent = {
  type: 'DocumentProposalSettled',
  data: {
    ...{ base: 0, source: null, proposedBy: 'agent:1', outcome: 'partly', conflicts: [conflict] },
    ...{ patch: [{ op: 'replace', path: '/x', value: 2 }], ...digest({ x: 2 }) },
  },
};
const resolved: DocumentEvent = {
  type: 'DocumentConflictResolved',
  data: {
    ...{ conflict: '1-0', path: '/y', choice: 'proposed', resolvedBy: 'user:1' },
    ...{ patch: [{ op: 'add', path: '/y', value: 2 }], ...digest({ x: 2, y: 2 }) },
  },
};
const first = { name: 'plan', repository: 'shop', strategy: 'manual', body: { x: 1 }, ...digest({ x: 1 }) };

it.each<[string, DocumentEvent[], object | null]>([
  [
    'created',
    [],
    { ...first, openConflicts: 0, conflicts: [], createdBy: 'key:1', changedBy: 'key:1', changedAt: timeOf(0) },
  ],
  [
    'changed, and in conflict',
    [changed],
    {
      body: { x: 2 },
      ...digest({ x: 2 }),
      openConflicts: 1,
      conflicts: [conflict],
      changedBy: 'agent:1',
      changedAt: timeOf(1),
    },
  ],
  ['resolved', [changed, resolved], { body: { x: 2, y: 2 }, openConflicts: 0, conflicts: [], changedBy: 'user:1' }],
  [
    'given other rules, and kept whole',
    [
      {
        type: 'DocumentRulesChanged',
        data: { rules: { ...rules, strategy: 'last-writer' }, changedBy: 'key:2', ...digest({ x: 1 }) },
      },
      { type: 'DocumentKept', data: { body: { x: 1 }, ...digest({ x: 1 }) } },
    ],
    { strategy: 'last-writer', changedBy: 'key:2', changedAt: timeOf(1) },
  ],
  ['deleted', [{ type: 'DocumentDeleted', data: { deletedBy: 'key:1', ...digest({ x: 1 }) } }], null],
])('shows a document that was %s', (_, later, expected) => {
  const id = newId();
  const rows = [...foldAll(documents, history(streamName('document', id), [created, ...later])).values()];
  expect(rows).toEqual(expected === null ? [] : [expect.objectContaining({ id, revision: later.length, ...expected })]);
});
