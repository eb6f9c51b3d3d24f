import type { Role } from '@workledger/shared/contexts/agent/key/events.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';

const operators: readonly Role[] = ['operator', 'admin'];
const everybody: readonly Role[] = ['viewer', 'agent', 'operator', 'auditor', 'admin'];
const rest = { name: 'x', steps: [{ kind: 'timer', id: 'a', seconds: 1 }] };

/** Of `permitted`: workflows, under both of their names, and their runs. */
export const permittedWorkflows: Readonly<Record<string, readonly Role[]>> = {
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
};

export const workflowsInBatch: Readonly<Record<string, readonly Role[]>> = {
  'workflow.define': operators,
  'workflow.change': operators,
  'workflow.retire': operators,
  'workflow-run.start': operators,
  'workflow-run.pause': operators,
  'workflow-run.resume': operators,
  'workflow-run.cancel': operators,
  'workflow-run.retry': operators,
  'workflow-run.start-defined': operators,
};

export const workflowData: Readonly<Record<string, object>> = {
  'workflow.define': rest,
  'workflow.change': rest,
  'workflow-run.start': { workflowId: newId() },
  'workflow-run.start-defined': { definition: rest },
};
