import { newId } from '@workledger/shared/contexts/stream.ts';
import type { Call } from '@workledger/shared/client/client.ts';
import { bad, post, type BadRequest, type Request } from './bad-request.ts';

const timer = { kind: 'timer', id: 'a', seconds: 1 };
const define = (steps: readonly object[], more: object = {}) => post('/workflows', { name: 'x', steps, ...more });

const integer = { inputs: { n: { type: 'integer' } } };
const change = (id: string, steps: readonly object[], more: Call = {}): Request => ({
  ...{ method: 'PUT', path: `/workflows/${id}` },
  call: { body: { name: 'x', steps }, ...more },
});
const start = (id: string, inputs: object) => post(`/workflows/${id}/runs`, { inputs });
const large = (_: unknown, index: number) => ({
  ...{ kind: 'command', id: `s${index}`, command: 'comment.create' },
  data: { issueId: newId(), body: 'x'.repeat(9_000) },
});

const among = (participants: readonly string[], steps: readonly object[] = [timer]) =>
  post('/collaborative/mcp', { workflow_definition: { name: 'x', steps }, context: {}, participants });

export const badWorkflows: readonly BadRequest[] = [
  bad('a workflow without a step', 400, 'invalid-request', () => define([])),
  bad('a step of an unknown kind', 400, 'invalid-request', () => define([{ ...timer, kind: 'loop' }])),
  bad('an unknown field of a step', 400, 'invalid-request', () => define([{ ...timer, eval: '1' }])),
  bad('a workflow that waits for itself', 422, 'invalid-workflow', () => define([{ ...timer, after: ['a'] }])),
  bad('a step after one that is not there', 422, 'invalid-workflow', () => define([{ ...timer, after: ['b'] }])),
  bad('an expression that is none', 422, 'invalid-workflow', () => define([{ ...timer, seconds: { $cel: '1 +' } }])),
  bad('a command that workflows do not send', 422, 'invalid-workflow', () =>
    define([{ kind: 'command', id: 'a', command: 'key.create' }]),
  ),
  bad('data that does not fit its command', 422, 'invalid-workflow', () =>
    define([{ kind: 'command', id: 'a', command: 'task.create', data: { title: 7 } }]),
  ),
  bad('a sub-workflow that is not there', 422, 'invalid-workflow', () =>
    define([{ kind: 'workflow', id: 'a', workflow: newId() }]),
  ),
  bad('an input of the wrong type for what it is given to', 422, 'invalid-workflow', () =>
    define([{ kind: 'command', id: 'a', command: 'task.create', data: { title: { $from: '/inputs/n' } } }], integer),
  ),
  bad('a sub-workflow that is not given what it takes', 422, 'invalid-workflow', ({ workflow }) =>
    define([{ kind: 'workflow', id: 'a', workflow }]),
  ),
  bad('a workflow that runs itself in any case', 422, 'invalid-workflow', ({ workflow }) =>
    change(workflow, [{ kind: 'workflow', id: 'a', workflow }]),
  ),
  bad('a host that workflows may not call', 422, 'invalid-workflow', () =>
    define([{ kind: 'call', id: 'a', component: 'http.request', request: { url: 'https://nowhere.example/' } }]),
  ),
  bad('a model that is not configured', 422, 'invalid-workflow', () =>
    define([{ kind: 'call', id: 'a', component: 'model.answer', request: { model: 'none', prompt: 'x' } }]),
  ),
  bad('a step about an unknown repository', 422, 'invalid-workflow', () =>
    define([{ kind: 'command', id: 'a', command: 'task.create', data: { title: 'x', repository: 'nowhere' } }]),
  ),
  bad('a definition that is too large', 413, 'too-large', () => define(Array.from({ length: 25 }, large))),
  bad('a version for who knows another one', 412, 'revision-mismatch', ({ workflow }) =>
    change(workflow, [timer], { ifMatch: 7 }),
  ),
  bad('a version of a workflow that is not there', 404, 'not-found', () => change(newId(), [timer])),
  bad('a workflow of an unknown repository', 422, 'unknown-repository', () =>
    define([timer], { repository: 'nowhere' }),
  ),
  bad('a run of a workflow that is not there', 404, 'not-found', () => post(`/workflows/${newId()}/runs`, {})),
  bad('a run without what it is to be given', 422, 'invalid-content', ({ workflow }) => start(workflow, {})),
  bad('a run that is given the wrong type', 422, 'invalid-content', ({ workflow }) => start(workflow, { n: 'x' })),
  bad('a run that is given what nobody asked for', 422, 'invalid-content', ({ workflow }) =>
    start(workflow, { n: 1, m: 1 }),
  ),
  bad('a run of a version that there is not', 422, 'out-of-range', ({ workflow }) =>
    post(`/workflows/${workflow}/runs`, { inputs: { n: 1 }, version: 9 }),
  ),
  bad('a run that is under way is taken up again', 409, 'illegal-transition', ({ run }) =>
    post(`/workflow-runs/${run}/retry`, {}),
  ),
  bad('a run that has ended is paused', 409, 'illegal-transition', ({ ended }) =>
    post(`/workflow-runs/${ended}/pause`, {}),
  ),
  bad('a run is taken up again from a step that it has not', 422, 'out-of-range', ({ ended }) =>
    post(`/workflow-runs/${ended}/retry`, { from: ['b'] }),
  ),
  bad('a run that is not there is paused', 404, 'not-found', () => post(`/workflow-runs/${newId()}/pause`, {})),
  bad('a run that is not there is taken up again', 404, 'not-found', () => post(`/workflow-runs/${newId()}/retry`, {})),
  bad('a template that is none', 400, 'invalid-request', () => post('/workflow-templates/none', {})),
  bad('a run among agents of which one is not there', 422, 'unknown-reference', ({ agentId }) =>
    among([agentId, newId()]),
  ),
  bad('a run among agents and a key', 422, 'unknown-reference', () => among([`key:${newId()}`])),
  bad('a run among nobody', 400, 'invalid-request', () => among([])),
  bad('a run among agents of a workflow that is not there', 404, 'not-found', ({ agentId }) =>
    post('/collaborative/mcp', { workflow_definition: newId(), context: {}, participants: [agentId] }),
  ),
  bad('a run among agents that cannot run', 422, 'invalid-workflow', ({ agentId }) =>
    among([agentId], [{ ...timer, after: ['b'] }]),
  ),
  bad("a workflow under a viewer's key", 403, 'forbidden', ({ viewer }) =>
    post('/workflows', { name: 'x', steps: [timer] }, { key: viewer }),
  ),
];
