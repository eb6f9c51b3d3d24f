import type { Call } from '@workledger/shared/client/client.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { bad, patch, post, type BadRequest, type Known } from './bad-request.ts';

const DOCUMENTS = '/documents';
const nowhere = `${DOCUMENTS}/${newId()}`;
const wish = { name: 'x', body: {} };
const change = { base: 0, patch: [{ op: 'add', path: '/x', value: 1 }] };
/** So many changes were made of the document that is there. */
export const VERSION = 6;
/** A change of the document that is there, which is taken but for this. */
const there =
  (more: object, call: Call = {}): BadRequest['request'] =>
  ({ document }) =>
    patch(`${DOCUMENTS}/${document}`, { ...change, base: VERSION, ...more }, call);
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
  bad('a change of a version that is yet to come', 422, 'out-of-range', there({ base: 99 })),
  bad('a change of a version that is too far back', 409, 'base-too-old', there({ base: 0 })),
  bad('a change at another version than is meant', 412, 'revision-mismatch', there({}, { ifMatch: 1 })),
  bad('a change of what is not there', 422, 'out-of-range', there({ patch: [{ op: 'remove', path: '/y' }] })),
  bad('a change of what is otherwise than it says', 422, 'out-of-range', there({ patch: [{ op: 'test', path: '/x', value: 2 }] })), // prettier-ignore
  bad('a change by a patch and by a merge', 422, 'out-of-range', there({ merge: {} })),
  bad('a change to what is no object', 422, 'out-of-range', there({ patch: [{ op: 'replace', path: '', value: [] }] })),
  bad('a change by a source that there is not', 422, 'out-of-range', there({ source: 'crm' })),
  bad('a conflict that is none of the document', 404, 'not-found', ({ document }) =>
    post(`${DOCUMENTS}/${document}/conflicts/1-0/resolve`, { choose: 'current' }),
  ),
  bad('rules with a source twice', 422, 'out-of-range', ({ document }) => ({
    ...{ method: 'PUT', path: `${DOCUMENTS}/${document}/rules` },
    call: { body: { sources: [1, 2].map((priority) => ({ name: 'crm', priority })) } },
  })),
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

export type BadFrame = {
  readonly name: string;
  readonly frame: (known: Known) => object;
  readonly answer: { readonly type: 'problem' | 'rejected'; readonly status: number; readonly code: string };
};
const badFrame = (
  name: string,
  type: BadFrame['answer']['type'],
  status: number,
  code: string,
  frame: BadFrame['frame'],
): BadFrame => ({ name, frame, answer: { type, status, code } });
const proposal =
  (more: object): BadFrame['frame'] =>
  ({ document }) => ({ ...change, type: 'propose', id: newId(), document, base: VERSION, ...more });

/** What may not be said on a line that keeps documents. */
export const badFrames: readonly BadFrame[] = [
  badFrame('a frame of no type', 'problem', 400, 'invalid-request', () => ({})),
  badFrame('a frame that is no object', 'problem', 400, 'invalid-request', () => [1]),
  badFrame('a frame of a type that there is not', 'problem', 400, 'invalid-request', () => ({ type: 'shout' })),
  badFrame('a proposal of no version', 'problem', 400, 'invalid-request', proposal({ base: null })),
  badFrame('a proposal with a field that there is not', 'problem', 400, 'invalid-request', proposal({ force: true })),
  badFrame('to follow no document', 'problem', 404, 'not-found', () => ({ type: 'subscribe', document: newId() })),
  badFrame('a proposal of a version that is yet to come', 'rejected', 422, 'out-of-range', proposal({ base: 99 })),
  badFrame('a proposal of a version that is too far back', 'rejected', 409, 'base-too-old', proposal({ base: 0 })),
  badFrame('a proposal of what is not there', 'rejected', 422, 'out-of-range', proposal({ patch: [{ op: 'remove', path: '/y' }] })), // prettier-ignore
  badFrame('a proposal of no document', 'rejected', 404, 'not-found', proposal({ document: newId() })),
  badFrame('to settle a conflict that is none', 'rejected', 404, 'not-found', ({ document }) => ({
    ...{ type: 'resolve', id: newId(), document, conflict: '1-0', choose: 'current' },
  })),
];
