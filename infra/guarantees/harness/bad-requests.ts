import { newId } from '@workledger/shared/contexts/stream.ts';
import type { Call } from '@workledger/shared/client/client.ts';
import { badIssues, badQuestions } from './bad-issues-and-questions.ts';
import { badWorkflows } from './bad-workflows.ts';
import { badKnowledge } from './bad-knowledge.ts';
import { bad, patch, post, type BadRequest, type Known, type Request } from './bad-request.ts';
import { badMessages } from './bad-messages.ts';
import { badDocuments } from './bad-documents.ts';
import { badProtocol } from './bad-protocol.ts';
import { badConfigurations } from './bad-configurations.ts';
import { badRoutings } from './bad-routings.ts';
import { labeledIssue, signed } from '../../testing/system/github.ts';

const create =
  (body: unknown, call: Call = {}) =>
  () =>
    post('/tasks', body, call);
const title = 'x';
const text = (mediaType: string): Call => ({ headers: { 'Content-Type': mediaType } });
const webhook = ({ body, headers }: { body: string; headers: Readonly<Record<string, string>> }): Request =>
  post('/webhooks/github', body, { key: null, headers });
/** A good delivery with other headers. */
const withHeaders = (headers: Readonly<Record<string, string>>) => () => {
  const delivery = labeledIssue(1);
  return webhook({ ...delivery, headers: { ...delivery.headers, ...headers } });
};

const shapes: readonly BadRequest[] = [
  bad('an unknown field', 400, 'invalid-request', create({ title, titel: 'y' })),
  bad('a field named __proto__', 400, 'invalid-request', create('{"title":"x","__proto__":{"priority":1}}')),
  bad('an unknown field in a change', 400, 'invalid-request', ({ task }) =>
    patch(`/tasks/${task}`, { state: 'complete' }),
  ),
  bad('a missing field', 400, 'invalid-request', create({})),
  bad('a wrong type', 400, 'invalid-request', create({ title, priority: 'high' })),
  bad('a list instead of an object', 400, 'invalid-request', create([])),
  bad('a number out of range', 400, 'invalid-request', create({ title, priority: 6 })),
  bad('an overlong text', 400, 'invalid-request', create({ title: 'x'.repeat(301) })),
  bad('too many labels', 400, 'invalid-request', create({ title, labels: Array(51).fill('l') })),
  bad('U+0000 in a text', 400, 'invalid-request', create({ title: 'a\u0000b' })),
  bad('U+0000 in a name', 400, 'invalid-request', create({ title, metadata: { 'a\u0000': 'b' } })),
  bad('half a surrogate pair', 400, 'invalid-request', create('{"title":"\\ud800"}')),
  bad('not JSON', 400, 'invalid-json', create('{"title":')),
  bad('no JSON at all', 415, 'unsupported-media-type', create('title=x', text('application/x-www-form-urlencoded'))),
  bad('an oversize body', 413, 'too-large', create({ title, description: 'x'.repeat(600_000) })),
  bad('an unknown parameter', 400, 'invalid-request', () => ({ method: 'GET', path: '/tasks?limt=3', call: {} })),
  bad('a token that is none', 400, 'invalid-request', () => ({
    method: 'GET',
    path: '/tasks',
    call: { token: 'x@1' },
  })),
  bad('an id that is none', 400, 'invalid-request', () => patch('/tasks/12', { title })),
  bad('an unknown route', 404, 'unknown-route', () => post('/task', { title })),
  bad('a method that a route does not know', 405, 'method-not-allowed', () => patch('/tasks', { title })),
];

const meanings: readonly BadRequest[] = [
  bad('an unknown task', 404, 'not-found', () => patch(`/tasks/${newId()}`, { title })),
  bad('an unknown task to read', 404, 'not-found', () => ({ method: 'GET', path: `/tasks/${newId()}`, call: {} })),
  bad('an unknown agent', 404, 'not-found', () => post(`/agents/${newId()}/beat`, {})),
  bad('an unknown key', 404, 'not-found', () => ({ method: 'DELETE', path: `/keys/${newId()}`, call: { body: {} } })),
  bad('an unknown repository', 422, 'unknown-repository', create({ title, repository: 'nowhere' })),
  bad('an unknown dependency', 422, 'unknown-reference', create({ title, dependencies: [newId()] })),
  bad('an unknown parent', 422, 'unknown-reference', create({ title, parentId: newId() })),
  bad('a claim for an unknown agent', 422, 'unknown-reference', ({ task }) =>
    post(`/tasks/${task}/claim`, { agentId: newId() }),
  ),
  bad('a key for an unknown agent', 422, 'unknown-reference', () =>
    post('/keys', { name: 'x', role: 'agent', agentId: newId() }),
  ),
  bad('a key for an unknown user', 422, 'unknown-reference', () =>
    post('/keys', { name: 'x', role: 'viewer', userId: newId() }),
  ),
  bad('a user without a name', 400, 'invalid-request', () => post('/users', { role: 'viewer' })),
  bad('a user of a role that people have not', 400, 'invalid-request', () =>
    post('/users', { name: 'x', role: 'service' }),
  ),
  bad('a user with an address that is none', 400, 'invalid-request', () => post('/users', { name: 'x', email: 'x' })),
  bad('a user in a team whose name is none', 400, 'invalid-request', () =>
    post('/users', { name: 'x', teams: ['A b'] }),
  ),
  bad('a user in too many teams', 400, 'invalid-request', () =>
    post('/users', { name: 'x', teams: Array.from({ length: 51 }, (_, number) => `team-${number}`) }),
  ),
  bad('an unknown user', 404, 'not-found', () => patch(`/users/${newId()}`, { name: 'x' })),
  bad('an unknown user to suspend', 404, 'not-found', () => post(`/users/${newId()}/suspend`, { reason: 'x' })),
  bad('a suspension without a reason', 400, 'invalid-request', () => post(`/users/${newId()}/suspend`, {})),
  bad('an unknown user in a team', 404, 'not-found', () => ({
    method: 'PUT',
    path: `/users/${newId()}/teams/core`,
    call: {},
  })),
  bad('a team whose name is none', 400, 'invalid-request', () => ({
    method: 'PUT',
    path: `/users/${newId()}/teams/A`,
    call: {},
  })),
  bad("a new name of one's own for a key that is nobody's", 404, 'not-found', () => patch('/me', { name: 'x' })),
  bad("a role of one's own choice", 400, 'invalid-request', () => patch('/me', { name: 'x', role: 'admin' })),
  bad('a batch with what only an onboarding sends', 400, 'invalid-request', () =>
    post('/commands', { commands: [{ type: 'user.grant', target: newId(), data: { role: 'admin', teams: [] } }] }),
  ),
  bad('an unknown role', 400, 'invalid-request', () => post('/keys', { name: 'x', role: 'root' })),
  bad('a retry of what did not fail', 409, 'illegal-transition', ({ task }) => post(`/tasks/${task}/retry`, {})),
  bad('a claim of a cancelled task', 409, 'illegal-transition', ({ cancelled, agentId }) =>
    post(`/tasks/${cancelled}/claim`, { agentId }),
  ),
  bad('a second claim', 409, 'illegal-transition', ({ claimed, agentId }) =>
    post(`/tasks/${claimed}/claim`, { agentId }),
  ),
  bad('a claim of a task that waits', 409, 'blocked', ({ waiting, agentId }) =>
    post(`/tasks/${waiting}/claim`, { agentId }),
  ),
  bad('work under another claim', 409, 'claim-mismatch', ({ claimed }) =>
    post(`/tasks/${claimed}/submit`, { claimId: newId(), commit: null }),
  ),
  bad('a stale If-Match', 412, 'revision-mismatch', ({ claimed }) =>
    patch(`/tasks/${claimed}`, { title: 'new' }, { ifMatch: 0 }),
  ),
  bad('an If-Match of the future', 412, 'revision-mismatch', ({ task }) =>
    patch(`/tasks/${task}`, { title: 'new' }, { ifMatch: 7 }),
  ),
  bad('an If-Match that is none', 400, 'invalid-request', ({ task }) =>
    patch(`/tasks/${task}`, { title }, { headers: { 'If-Match': '3' } }),
  ),
  bad('an Idempotency-Key that is none', 400, 'invalid-request', create({ title }, { idempotencyKey: 'a b' })),
  bad(
    'an Idempotency-Key that was used for another body',
    422,
    'idempotency-key-reused',
    create({ title: 'two' }, { idempotencyKey: 'used' }),
  ),
  bad('a dependency on itself', 409, 'dependency-cycle', ({ task }) =>
    post(`/tasks/${task}/dependencies`, { dependsOn: task }),
  ),
  bad('a dependency that closes a cycle', 409, 'dependency-cycle', ({ task, waiting }) =>
    post(`/tasks/${task}/dependencies`, { dependsOn: waiting }),
  ),
  bad('a redrive of what does not stand still', 404, 'not-found', ({ task }) =>
    post('/parked/redrive', { kind: 'read-model', name: 'tasks', stream: `task-${task}` }),
  ),
  bad('a redrive of a kind that there is not', 400, 'invalid-request', () =>
    post('/parked/redrive', { kind: 'service', name: 'tasks', stream: 'x' }),
  ),
  bad('a redrive of an effect without its key', 400, 'invalid-request', () =>
    post('/parked/redrive', { kind: 'effect', name: 'task-assignment', stream: 'x' }),
  ),
  bad('a redrive of a name with U+0000', 400, 'invalid-request', () =>
    post('/parked/redrive', { kind: 'saga', name: 'a\u0000', stream: 'x' }),
  ),
  bad('a list of what stands still after a cursor that is none', 422, 'unknown-cursor', () => ({
    method: 'GET',
    path: '/parked?cursor=x',
    call: {},
  })),
  bad('a batch of none', 400, 'invalid-request', () => post('/commands', { commands: [] })),
  bad('a batch with an unknown command', 400, 'invalid-request', () =>
    post('/commands', { commands: [{ type: 'task.explode', target: newId() }] }),
  ),
  bad('a batch with what only sagas send', 400, 'invalid-request', ({ task }) =>
    post('/commands', { commands: [{ type: 'task.complete', target: task }] }),
  ),
];

const callers: readonly BadRequest[] = [
  bad('no key', 401, 'unauthenticated', create({ title }, { key: null })),
  bad('a key that is none', 401, 'unauthenticated', create({ title }, { key: 'x' })),
  bad(
    'a key that nobody has',
    401,
    'unauthenticated',
    create({ title }, { key: `wl_${newId().replaceAll('-', '')}_${'A'.repeat(43)}` }),
  ),
  bad("a viewer's key", 403, 'forbidden', ({ viewer }) => post('/tasks', { title }, { key: viewer })),
  bad("an auditor's key for a redrive", 403, 'forbidden', ({ auditor }) =>
    post('/parked/redrive', {}, { key: auditor }),
  ),
  bad("an auditor's key", 403, 'forbidden', ({ auditor }) => post('/tasks', { title }, { key: auditor })),
  bad("an operator's key for what only administrators do", 403, 'forbidden', ({ operator }) =>
    post('/keys', { name: 'x', role: 'admin' }, { key: operator }),
  ),
  bad('bad input under a weak key tells no more than that', 403, 'forbidden', ({ viewer }) =>
    post('/tasks', '{', { key: viewer }),
  ),
];

const saga = `saga:saga-task-assignment-${newId()}`;
/** What a service sends, its command and its context changed. */
const service =
  (command: object, context: object = {}) =>
  ({ task, service: key }: Known) =>
    post(
      '/service/commands',
      {
        command: { type: 'task.cancel', target: task, data: {}, ...command },
        context: { actor: saga, correlationId: newId(), ...context },
      },
      { key },
    );
const beat = { type: 'agent.beat', target: newId() };

const services: readonly BadRequest[] = [
  bad('a service with a command that is for people', 400, 'invalid-request', service({ type: 'task.create' })),
  bad('a service that makes a key', 400, 'invalid-request', service({ type: 'key.create' })),
  bad('a service with an unknown field', 400, 'invalid-request', service({ when: 'now' })),
  bad('a service without a context', 400, 'invalid-request', service({}, { actor: undefined })),
  bad('a service in the name of a key', 400, 'invalid-request', service({}, { actor: `key:${newId()}` })),
  bad('a service in the name of the system', 400, 'invalid-request', service({}, { actor: 'system' })),
  bad('a saga that does what agents do', 403, 'forbidden', service(beat)),
  bad('an agent that does what sagas do', 403, 'forbidden', service({}, { actor: `agent:${newId()}` })),
  bad('an agent that speaks for another', 403, 'forbidden', service(beat, { actor: `agent:${newId()}` })),
  bad('a service with data that does not fit', 400, 'invalid-command', service({ data: { reason: 7 } })),
  bad('a service with data that is none', 400, 'invalid-command', service({ data: 'x' })),
  bad('a service that names no task', 400, 'invalid-command', service({ target: 'x' })),
  bad('a service that names an unknown task', 404, 'not-found', service({ target: newId() })),
  bad('a service that expects another revision', 412, 'revision-mismatch', service({}, { expectedRevision: 7 })),
  bad('a service with a command id that is none', 400, 'invalid-request', service({}, { commandId: 'x' })),
  bad('an oversize command of a service', 413, 'too-large', service({ data: { reason: 'x'.repeat(1_100_000) } })),
  bad("an operator's key for what services do", 403, 'forbidden', ({ operator }) =>
    post('/service/commands', {}, { key: operator }),
  ),
  bad("a service's key for what operators do", 403, 'forbidden', ({ service: key }) =>
    post('/tasks', { title }, { key }),
  ),
];

const deliveries: readonly BadRequest[] = [
  bad('a delivery without a signature', 401, 'bad-signature', withHeaders({ 'X-Hub-Signature-256': '' })),
  bad(
    'a delivery with a wrong signature',
    401,
    'bad-signature',
    withHeaders({ 'X-Hub-Signature-256': `sha256=${'0'.repeat(64)}` }),
  ),
  bad('a delivery whose body was changed', 401, 'bad-signature', () => {
    const { body, headers } = labeledIssue(1);
    return webhook({ body: body.replace('labeled', 'Labeled'), headers });
  }),
  bad('a delivery without an event', 400, 'invalid-request', withHeaders({ 'X-GitHub-Event': '' })),
  bad('a delivery without an id', 400, 'invalid-request', withHeaders({ 'X-GitHub-Delivery': '' })),
  bad('a delivery of another media type', 415, 'unsupported-media-type', withHeaders({ 'Content-Type': 'text/plain' })),
  bad('an oversize delivery', 413, 'too-large', () => webhook(signed(`{"text":"${'x'.repeat(26 * 1024 * 1024)}"}`))),
];

const entries: readonly BadRequest[] = badKnowledge.map(([name, status, code, method, path, body]) =>
  bad(name, status, code, () => ({ method, path: `/knowledge${path}`, call: body === undefined ? {} : { body } })),
);

/** Everything bad that can be asked: what, and the status and problem that answer it. */
export const badRequests: readonly BadRequest[] = [
  ...shapes,
  ...meanings,
  ...badIssues,
  ...badWorkflows,
  ...badQuestions,
  ...badMessages,
  ...badRoutings,
  ...badDocuments,
  ...badProtocol,
  ...callers,
  ...services,
  ...deliveries,
  ...entries,
  ...badConfigurations,
];
