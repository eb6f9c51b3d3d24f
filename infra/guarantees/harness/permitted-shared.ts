import type { Role } from '@workledger/shared/contexts/agent/key/events.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';

const workers: readonly Role[] = ['agent', 'operator', 'admin'];
const observers: readonly Role[] = ['operator', 'auditor', 'admin'];
const operators: readonly Role[] = ['operator', 'admin'];
const everybody: readonly Role[] = ['viewer', 'agent', 'operator', 'auditor', 'admin'];
const rest = { name: 'x', steps: [{ kind: 'timer', id: 'a', seconds: 1 }] };

/** Of `permitted`: workflows, under both of their names, and their runs; documents; configuration. */
export const permittedShared: Readonly<Record<string, readonly Role[]>> = {
  'GET /api/v1/workflows': everybody,
  'GET /api/v1/workflows/{id}': everybody,
  'GET /api/v1/workflows/{id}/versions': everybody,
  'GET /api/v1/workflows/{id}/versions/{version}': everybody,
  'GET /api/v1/workflow-templates': everybody,
  'GET /api/v1/workflow-runs': everybody,
  'GET /api/v1/workflow-runs/{id}': everybody,
  'POST /api/v1/workflows': operators,
  'POST /api/v1/workflow-templates/{name}': operators,
  'PUT /api/v1/workflows/{id}': operators,
  'DELETE /api/v1/workflows/{id}': operators,
  'POST /api/v1/workflows/{id}/runs': operators,
  'POST /api/v1/workflow-runs/{id}/pause': operators,
  'POST /api/v1/workflow-runs/{id}/resume': operators,
  'POST /api/v1/workflow-runs/{id}/cancel': operators,
  'POST /api/v1/workflow-runs/{id}/retry': operators,
  'GET /api/v1/collaborative/workflows': everybody,
  'GET /api/v1/collaborative/workflows/{id}': everybody,
  'POST /api/v1/collaborative/workflows': operators,
  'PUT /api/v1/collaborative/workflows/{id}': operators,
  'DELETE /api/v1/collaborative/workflows/{id}': operators,
  'POST /api/v1/collaborative/mcp': operators,
  'GET /api/v1/documents': everybody,
  'GET /api/v1/documents/{id}': everybody,
  'GET /api/v1/documents/{id}/digest': everybody,
  'GET /api/v1/documents/{id}/conflicts': everybody,
  'GET /api/v1/documents/{id}/verify': everybody,
  'GET /api/v1/documents/{id}/changes': everybody,
  'GET /api/v1/documents/{id}/versions/{version}': everybody,
  'GET /api/v1/collaborative/sync': everybody,
  'POST /api/v1/documents': workers,
  'PATCH /api/v1/documents/{id}': workers,
  'POST /api/v1/documents/{id}/conflicts/{conflict}/resolve': operators,
  'PUT /api/v1/documents/{id}/rules': operators,
  'DELETE /api/v1/documents/{id}': operators,
  'GET /api/v1/configuration': observers,
  'GET /api/v1/configuration/environments/{name}': observers,
  'GET /api/v1/configuration/revisions': observers,
  'GET /api/v1/configuration/revisions/{revision}': observers,
  'GET /api/v1/configuration/diff': observers,
  'GET /api/v1/configuration/flags/{name}/evaluate': everybody,
  'POST /api/v1/configuration/flags/{name}/evaluate': everybody,
  'PATCH /api/v1/configuration/environments/{name}': operators,
  'PUT /api/v1/configuration/environments/{name}': operators,
  'POST /api/v1/configuration/rollback': operators,
};

export const sharedInBatch: Readonly<Record<string, readonly Role[]>> = {
  'workflow.define': operators,
  'workflow.change': operators,
  'workflow.retire': operators,
  'workflow-run.start': operators,
  'workflow-run.pause': operators,
  'workflow-run.resume': operators,
  'workflow-run.cancel': operators,
  'workflow-run.retry': operators,
  'workflow-run.start-defined': operators,
  'document.create': workers,
  'document.propose': workers,
  'document.resolve': operators,
  'document.change-rules': operators,
  'document.delete': operators,
};

export const dataOfShared: Readonly<Record<string, object>> = {
  'workflow.define': rest,
  'workflow.change': rest,
  'workflow-run.start': { workflowId: newId() },
  'workflow-run.start-defined': { definition: rest },
  'document.create': { name: 'x', body: {} },
  'document.propose': { base: 0, merge: {} },
  'document.resolve': { conflict: '1-0', choose: 'current' },
};
