import { newId } from '@workledger/shared/contexts/stream.ts';
import { bad, post, type BadRequest } from './bad-request.ts';

const timer = { kind: 'timer', id: 'a', seconds: 1 };
const define = (steps: readonly object[], more: object = {}) => post('/workflows', { name: 'x', steps, ...more });

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
  bad('a workflow of an unknown repository', 422, 'unknown-repository', () =>
    define([timer], { repository: 'nowhere' }),
  ),
  bad('a run of a workflow that is not there', 404, 'not-found', () => post(`/workflows/${newId()}/runs`, {})),
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
