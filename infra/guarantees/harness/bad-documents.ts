import { newId } from '@workledger/shared/contexts/stream.ts';
import { bad, patch, post, type BadRequest } from './bad-request.ts';

const DOCUMENTS = '/documents';
const nowhere = `${DOCUMENTS}/${newId()}`;
const wish = { name: 'x', body: {} };
const change = { base: 0, patch: [{ op: 'add', path: '/x', value: 1 }] };
const deep = JSON.parse(`${'{"a":'.repeat(70)}1${'}'.repeat(70)}`) as object;

/** Documents that are kept in step. */
export const badDocuments: readonly BadRequest[] = [
  bad('a document that is no object', 400, 'invalid-request', () => post(DOCUMENTS, { name: 'x', body: [] })),
  bad('a document without a name', 400, 'invalid-request', () => post(DOCUMENTS, { body: {} })),
  bad('a document of an unknown repository', 422, 'unknown-repository', () =>
    post(DOCUMENTS, { ...wish, repository: 'nowhere' }),
  ),
  bad('a document of an unknown strategy', 400, 'invalid-request', () =>
    post(DOCUMENTS, { ...wish, strategy: 'luck' }),
  ),
  bad('a document too deep', 400, 'invalid-request', () => post(DOCUMENTS, { ...wish, body: deep })),
  bad('a document with U+0000', 422, 'out-of-range', () => post(DOCUMENTS, { ...wish, body: { x: '\u0000' } })),
  bad('a document with __proto__', 422, 'out-of-range', () =>
    post(DOCUMENTS, { ...wish, body: JSON.parse('{"__proto__":{"x":1}}') as object }),
  ),
  bad('a document too large', 413, 'too-large', () => post(DOCUMENTS, { ...wish, body: { x: 'x'.repeat(140_000) } })),
  bad('a source twice', 422, 'out-of-range', () =>
    post(DOCUMENTS, { ...wish, sources: [1, 2].map((priority) => ({ name: 'crm', priority })) }),
  ),
  bad('a field that is no pointer', 400, 'invalid-request', () =>
    post(DOCUMENTS, { ...wish, fields: [{ path: 'x', strategy: 'manual' }] }),
  ),
  bad('a change of no document', 404, 'not-found', () => patch(nowhere, change)),
  bad('a change of no version', 400, 'invalid-request', () => patch(nowhere, { patch: change.patch })),
  bad('an operation that there is not', 400, 'invalid-request', () =>
    patch(nowhere, { base: 0, patch: [{ op: 'swap', path: '/x' }] }),
  ),
  bad("a change under a viewer's key", 403, 'forbidden', ({ viewer }) => patch(nowhere, change, { key: viewer })),
  bad('a conflict that is none', 400, 'invalid-request', () =>
    post(`${nowhere}/conflicts/x/resolve`, { choose: 'current' }),
  ),
  bad('a conflict of no document', 404, 'not-found', () =>
    post(`${nowhere}/conflicts/1-0/resolve`, { choose: 'current' }),
  ),
  bad('rules of no document', 404, 'not-found', () => ({
    ...{ method: 'PUT', path: `${nowhere}/rules` },
    call: { body: { strategy: 'manual' } },
  })),
  bad('the end of no document', 404, 'not-found', () => ({ method: 'DELETE', path: nowhere, call: {} })),
];
