import { newId } from '@workledger/shared/contexts/stream.ts';
import { bad, post, type BadRequest } from './bad-request.ts';

const hello = { to: { kind: 'topic', topic: 'builds' }, subject: 'x' };

/** Everything bad that can be asked of messages, inboxes and the live channel. */
export const badMessages: readonly BadRequest[] = [
  bad('a message to nobody', 400, 'invalid-request', () => post('/messages', { subject: 'x' })),
  bad('a message to what is no participant', 400, 'invalid-request', () =>
    post('/messages', { ...hello, to: { kind: 'participant', participant: 'ada' } }),
  ),
  bad('a message to an unknown agent', 422, 'unknown-reference', () =>
    post('/messages', { ...hello, to: { kind: 'participant', participant: `agent:${newId()}` } }),
  ),
  bad('a message to an unknown key', 422, 'unknown-reference', () =>
    post('/messages', { ...hello, to: { kind: 'participant', participant: `key:${newId()}` } }),
  ),
  bad('a message of an unknown type', 422, 'unknown-reference', () =>
    post('/messages', { ...hello, messageType: 'nothing' }),
  ),
  bad('a content without a type', 422, 'invalid-content', () => post('/messages', { ...hello, content: 1 })),
  bad('a message about an unknown task', 422, 'unknown-reference', () =>
    post('/messages', { ...hello, taskId: newId() }),
  ),
  bad('a message of an unknown repository', 422, 'unknown-repository', () =>
    post('/messages', { ...hello, repository: 'nowhere' }),
  ),
  bad('a message in answer to none', 422, 'unknown-reference', () => post('/messages', { ...hello, replyTo: newId() })),
  bad('a message that is too long', 400, 'invalid-request', () =>
    post('/messages', { ...hello, body: 'ä'.repeat(40_000) }),
  ),
  bad('a topic that is none', 400, 'invalid-request', () => post('/inbox/topics/a%20b', {})),
  bad('a confirmation of no message', 404, 'not-found', () => post(`/inbox/${newId()}/read`, {})),
  bad('all read up to no message', 422, 'unknown-reference', () => post('/inbox/read-all', { through: newId() })),
  bad('a schema that reaches out', 422, 'out-of-range', () =>
    post('/message-types', { name: 'x', schema: { $ref: 'https://example.org/x' } }),
  ),
  bad('a schema that is none', 422, 'out-of-range', () => post('/message-types', { name: 'x', schema: { type: 7 } })),
  bad('a schema with a pattern that takes for ever', 422, 'out-of-range', () =>
    post('/message-types', { name: 'x', schema: { pattern: '(a+)+' } }),
  ),
  bad('a name that is none for a type', 400, 'invalid-request', () =>
    post('/message-types', { name: 'X Y', schema: {} }),
  ),
  bad('a feed that there is not', 400, 'invalid-request', () => ({
    method: 'GET',
    path: '/live?feeds=moon',
    call: {},
  })),
  bad('a feed of an unknown task', 404, 'not-found', () => ({
    method: 'GET',
    path: `/live?feeds=task:${newId()}`,
    call: {},
  })),
  bad('a live cursor that is none', 422, 'unknown-cursor', () => ({
    method: 'GET',
    path: '/live?feeds=inbox&after=x',
    call: {},
  })),
  bad('an inbox after a cursor that is none', 422, 'unknown-cursor', () => ({
    method: 'GET',
    path: '/inbox?cursor=x',
    call: {},
  })),
];
