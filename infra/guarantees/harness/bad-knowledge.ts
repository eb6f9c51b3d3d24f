import { newId } from '@workledger/shared/contexts/stream.ts';

type Bad = readonly [name: string, status: number, code: string, method: string, path: string, body?: object];

const entry = { title: 'x', content: 'x' };

/** What is bad about requests for knowledge; paths below /knowledge. */
export const badKnowledge: readonly Bad[] = [
  ['an entry without content', 400, 'invalid-request', 'POST', '', { title: 'x' }],
  ['an entry in a language that there is not', 400, 'invalid-request', 'POST', '', { ...entry, language: 'klingon' }],
  ['an entry for a team without its name', 400, 'invalid-request', 'POST', '', { ...entry, access: { kind: 'team' } }],
  ['an entry that is too long', 400, 'invalid-request', 'POST', '', { ...entry, content: 'x'.repeat(65_537) }],
  ['an entry of too many bytes', 400, 'invalid-request', 'POST', '', { ...entry, content: '\u0001'.repeat(60_000) }],
  ['an entry of an unknown repository', 422, 'unknown-repository', 'POST', '', { ...entry, repository: 'nowhere' }],
  ['an unknown entry', 404, 'not-found', 'PATCH', `/${newId()}`, { title: 'x' }],
  ['an unknown entry that is used', 404, 'not-found', 'POST', `/${newId()}/used`, {}],
  ['a relation of an unknown entry', 404, 'not-found', 'POST', `/${newId()}/related`, { relatedId: newId() }],
  ['an unknown version to read', 404, 'not-found', 'GET', `/${newId()}/versions/1`],
  ['a version that is none', 400, 'invalid-request', 'GET', `/${newId()}/versions/0`],
  ['a search after a cursor', 422, 'unknown-cursor', 'GET', '?q=x&cursor=x'],
];
