import {
  change,
  documentConflict,
  documentRules,
  OUTCOMES,
  strategy,
} from '@workledger/shared/contexts/sync/document/events.ts';
import { documentModel, documentRow, type DocumentRow } from '@workledger/shared/contexts/sync/document/row.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { Problem } from '@workledger/shared/http/problem.ts';
import type { Principal, Route } from '@workledger/shared/http/route.ts';
import { z } from 'zod';
import type { Settle } from '../reading/consistency.ts';
import {
  catchUp,
  CHANGE_KINDS,
  changeOf,
  digestAt,
  documentAt,
  readDocument,
  type DocumentChange,
} from '../reading/document.ts';
import { pageOf, pageParameters, readPage, type ListDefinition } from '../reading/page.ts';
import {
  anyId,
  atMost,
  byId,
  many,
  one,
  queryRoute,
  READERS,
  several,
  short,
  yesOrNo,
  type QueryOptions,
} from '../reading/query-route.ts';
import { onlyRepositoriesWithin, readWithin, scopeOf } from '../reading/scope.ts';

const list: ListDefinition<DocumentRow> = {
  model: documentModel,
  without: ['body', 'conflicts'],
  sorts: {
    changed: { column: 'changedAt', type: 'timestamptz' },
    created: { column: 'createdAt', type: 'timestamptz' },
  },
};

const digest = z.string().describe('SHA-256 (hex) of the canonical form (RFC 8785)');
const version = z.int().min(0);
const body = z.record(z.string(), z.unknown());
const versionText = z
  .string()
  .regex(/^\d{1,9}$/, 'a version: a whole number from 0')
  .transform(Number);
const whole = z.strictObject({ version, digest, at: z.iso.datetime(), body });

/** What happened to a document, as lists, WebSockets and repairs tell it. */
const documentChange = z.strictObject({
  version,
  kind: z.enum(CHANGE_KINDS as [string, ...string[]]),
  by: z.string(),
  at: z.iso.datetime(),
  digest,
  patch: z.array(change).describe('on the version before'),
  base: version.optional(),
  source: z.string().nullable().optional(),
  outcome: z.enum(OUTCOMES).optional(),
  conflicts: z.array(documentConflict).optional(),
  conflict: z.string().optional(),
  choice: z.string().optional(),
  rules: documentRules.optional(),
});

const verdict = z.strictObject({
  isEqual: z.boolean().describe('the copy is what the document was at that version'),
  isCurrent: z.boolean().describe('and nothing has come since'),
  version: version.describe('of the document now'),
  changes: z.array(documentChange).nullable().describe('what brings the copy up to date; null: take `document`'),
  document: whole.nullable().describe('the whole, in place of a copy that drifted or is too far behind'),
});

/** GET /documents, and of each its state, its versions, its changes, its conflicts, and whether a copy is equal to it. */
export const documentQueries = ({ pool, log }: QueryOptions, settle: Settle): readonly Route[] => {
  const common = { role: READERS, scoped: true, models: [documentModel] } as const;
  const ofOne = { ...common, params: byId, problems: ['not-found'] } as const;
  const read = (id: string, principal: Principal | null): Promise<DocumentRow> =>
    readWithin(pool, scopeOf({ principal }), documentModel, { noun: 'document', id });
  return [
    queryRoute(settle, {
      ...common,
      path: '/documents',
      summary: 'List shared documents',
      answer: 'A page of documents, without what they say.',
      schema: pageOf(documentRow.omit({ body: true, conflicts: true })),
      query: {
        name: several(short).optional(),
        repository: several(short).optional(),
        strategy: several(strategy).optional(),
        inConflict: yesOrNo.optional().describe('whether something waits for a person'),
        ...pageParameters(list.sorts, '-changed'),
      },
      handler: async ({ query: asked, principal }) => {
        const scope = scopeOf({ principal });
        return many(
          await readPage(pool, list, asked, (query) => {
            onlyRepositoriesWithin(query, scope);
            if (asked.name) query.whereIn('t.name', asked.name);
            if (asked.repository) query.whereIn('t.repository', asked.repository);
            if (asked.strategy) query.whereIn('t.strategy', asked.strategy);
            if (asked.inConflict !== undefined) query.whereRaw('(t.open_conflicts > 0) = ?', [asked.inConflict]);
          }),
        );
      },
    }),
    queryRoute(settle, {
      ...ofOne,
      path: '/documents/{id}',
      summary: 'A shared document',
      answer: 'The document.',
      schema: documentRow,
      handler: async ({ params, principal }) => one(await read(params.id, principal)),
    }),
    queryRoute(settle, {
      ...ofOne,
      path: '/documents/{id}/digest',
      summary: 'What a copy of a document must come to',
      answer: 'Its version and digest.',
      schema: z.strictObject({ id: z.uuid(), revision: version, version, digest }),
      handler: async ({ params, principal }) => {
        const { id, revision, digest: current } = await read(params.id, principal);
        return one({ id, revision, version: revision, digest: current } as { readonly revision: number });
      },
    }),
    queryRoute(settle, {
      ...ofOne,
      path: '/documents/{id}/conflicts',
      summary: 'What waits for a person in a document',
      answer: 'The conflicts, with both sides of each.',
      schema: z.strictObject({ items: z.array(documentConflict) }),
      handler: async ({ params, principal }) => many({ items: (await read(params.id, principal)).conflicts }),
    }),
    queryRoute(settle, {
      ...ofOne,
      path: '/documents/{id}/verify',
      summary: 'Whether a copy of a document is right, and what repairs it',
      description: 'By the version that the copy has and its digest. As the log has it: no token is needed.',
      answer: 'The verdict.',
      schema: verdict,
      query: { version: versionText, digest: z.string().regex(/^[0-9a-f]{64}$/, 'SHA-256 as hex') },
      handler: async ({ params, query: copy, principal }) => {
        await read(params.id, principal);
        return many(await verify(log, params.id, copy));
      },
    }),
    queryRoute(settle, {
      ...ofOne,
      path: '/documents/{id}/changes',
      summary: 'What happened to a document',
      answer: 'Changes, oldest first. `next`: the version to go on after.',
      schema: z.strictObject({ items: z.array(documentChange), next: version.nullable() }),
      query: { after: versionText.optional().describe('only what came after this version'), limit: atMost(100, 50) },
      handler: async ({ params, query: { after = -1, limit }, principal }) => {
        await read(params.id, principal);
        const items: DocumentChange[] = [];
        for await (const event of readDocument(log, params.id, { from: after + 1, limit: limit + 1 }))
          items.push(changeOf(event));
        const page = items.slice(0, limit);
        return many({ items: page, next: items.length > limit ? (page.at(-1)?.version ?? null) : null });
      },
    }),
    queryRoute(settle, {
      ...ofOne,
      params: z.strictObject({ id: anyId, version: versionText }),
      path: '/documents/{id}/versions/{version}',
      summary: 'A document as it was',
      answer: 'The document at that version.',
      schema: whole,
      handler: async ({ params, principal }) => {
        await read(params.id, principal);
        const found = await documentAt(log, params.id, params.version);
        if (found === null) throw new Problem('not-found', `document ${params.id} has no version ${params.version}`);
        return many(found);
      },
    }),
  ];
};

async function verify(log: EventLog, id: string, copy: { readonly version: number; readonly digest: string }) {
  const isEqual = (await digestAt(log, id, copy.version)) === copy.digest;
  const found = await catchUp(log, id, copy);
  if (found === null) throw new Problem('not-found', `there is no document ${id}`);
  if (found.kind === 'whole')
    return { isEqual, isCurrent: false, version: found.whole.version, changes: null, document: found.whole };
  const { changes, version: now } = found;
  return { isEqual, isCurrent: changes.length === 0, version: now, changes, document: null };
}
