import type { Role } from '@workledger/shared/contexts/agent/key/events.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';

export const roles: readonly Role[] = ['viewer', 'agent', 'operator', 'auditor', 'admin', 'service'];

const everybody: readonly Role[] = ['viewer', 'agent', 'operator', 'auditor', 'admin'];
const workers: readonly Role[] = ['agent', 'operator', 'admin'];
const operators: readonly Role[] = ['operator', 'admin'];
const observers: readonly Role[] = ['operator', 'auditor', 'admin'];
const auditors: readonly Role[] = ['auditor', 'admin'];
const administrators: readonly Role[] = ['admin'];
const services: readonly Role[] = ['service'];

/** Who may call what; `public`: whoever comes, without a key. A route that is not here is not allowed to exist. */
export const permitted: Readonly<Record<string, readonly Role[] | 'public'>> = {
  'GET /health': 'public',
  'GET /health/live': 'public',
  'GET /health/ready': 'public',
  'GET /api/v1/openapi.json': 'public',
  'GET /api/v1/schemas': 'public',
  'GET /api/v1/schemas/cloud-event': 'public',
  'GET /api/v1/schemas/{streamType}/{eventType}/{version}': 'public',
  'POST /api/v1/webhooks/github': 'public',

  'GET /api/v1/tasks': everybody,
  'GET /api/v1/tasks/next': everybody,
  'GET /api/v1/tasks/{id}': everybody,
  'GET /api/v1/agents': everybody,
  'GET /api/v1/agents/{id}': everybody,
  'GET /api/v1/pipelines': everybody,
  'GET /api/v1/pipelines/{id}': everybody,
  'GET /api/v1/generations': everybody,
  'GET /api/v1/generations/{id}': everybody,
  'GET /api/v1/evolutions': everybody,
  'GET /api/v1/evolutions/{id}': everybody,
  'GET /api/v1/validations': everybody,
  'GET /api/v1/validations/{id}': everybody,
  'GET /api/v1/merge-queues': everybody,
  'GET /api/v1/merge-queues/{id}': everybody,
  'GET /api/v1/artefacts/{digest}': everybody,
  'GET /api/v1/costs': everybody,
  'GET /api/v1/webhooks/deliveries': observers,
  'GET /api/v1/webhooks/deliveries/{id}': observers,
  'GET /api/v1/parked': observers,
  'GET /api/v1/streams/{stream}': auditors,
  'GET /api/v1/events': auditors,
  'GET /api/v1/keys': administrators,
  'GET /api/v1/keys/{id}': administrators,

  'POST /api/v1/tasks': operators,
  'PATCH /api/v1/tasks/{id}': operators,
  'PUT /api/v1/tasks/{id}': operators,
  'DELETE /api/v1/tasks/{id}': operators,
  'POST /api/v1/tasks/{id}/cancel': operators,
  'POST /api/v1/tasks/{id}/retry': operators,
  'POST /api/v1/tasks/{id}/expand': operators,
  'POST /api/v1/tasks/{id}/dependencies': operators,
  'DELETE /api/v1/tasks/{id}/dependencies/{dependsOn}': operators,
  'POST /api/v1/tasks/{id}/claim': workers,
  'POST /api/v1/tasks/{id}/renew': workers,
  'POST /api/v1/tasks/{id}/progress': workers,
  'POST /api/v1/tasks/{id}/submit': workers,
  'POST /api/v1/tasks/{id}/release': workers,

  'POST /api/v1/agents': operators,
  'PATCH /api/v1/agents/{id}': operators,
  'DELETE /api/v1/agents/{id}': operators,
  'POST /api/v1/agents/{id}/activate': operators,
  'POST /api/v1/agents/{id}/deactivate': operators,
  'POST /api/v1/agents/{id}/beat': workers,
  'POST /api/v1/agents/{id}/claims': workers,
  'POST /api/v1/agents/{id}/error': workers,
  'POST /api/v1/agents/{id}/clear-error': workers,

  'POST /api/v1/merge-queues/{id}/release': operators,
  'POST /api/v1/parked/redrive': operators,
  'POST /api/v1/keys': administrators,
  'DELETE /api/v1/keys/{id}': administrators,
  'POST /api/v1/commands': workers,
  'POST /api/v1/service/commands': services,
};

/** Where a key that is limited to repositories is let in, if its role is: what lies beyond them is not there for it. */
export const permittedToLimited: readonly string[] = [
  'GET /api/v1/tasks',
  'GET /api/v1/tasks/next',
  'GET /api/v1/tasks/{id}',
  'GET /api/v1/agents/{id}',
  'GET /api/v1/pipelines',
  'GET /api/v1/pipelines/{id}',
  'GET /api/v1/generations',
  'GET /api/v1/generations/{id}',
  'GET /api/v1/evolutions',
  'GET /api/v1/evolutions/{id}',
  'GET /api/v1/validations',
  'GET /api/v1/validations/{id}',
  'GET /api/v1/merge-queues',
  'GET /api/v1/merge-queues/{id}',
  'GET /api/v1/artefacts/{digest}',
  'GET /api/v1/costs',
  'POST /api/v1/tasks',
  'PATCH /api/v1/tasks/{id}',
  'PUT /api/v1/tasks/{id}',
  'DELETE /api/v1/tasks/{id}',
  'POST /api/v1/tasks/{id}/cancel',
  'POST /api/v1/tasks/{id}/retry',
  'POST /api/v1/tasks/{id}/expand',
  'POST /api/v1/tasks/{id}/dependencies',
  'DELETE /api/v1/tasks/{id}/dependencies/{dependsOn}',
  'POST /api/v1/tasks/{id}/claim',
  'POST /api/v1/tasks/{id}/renew',
  'POST /api/v1/tasks/{id}/progress',
  'POST /api/v1/tasks/{id}/submit',
  'POST /api/v1/tasks/{id}/release',
  'POST /api/v1/commands',
];

/** Beside these an agent's key for its own agent. */
export const permittedToLimitedAgents: readonly string[] = [
  ...permittedToLimited,
  'POST /api/v1/agents/{id}/beat',
  'POST /api/v1/agents/{id}/claims',
  'POST /api/v1/agents/{id}/error',
  'POST /api/v1/agents/{id}/clear-error',
];

/** The same for commands in a batch, by type. */
export const permittedInBatch: Readonly<Record<string, readonly Role[]>> = {
  'task.create': operators,
  'task.change': operators,
  'task.add-dependency': operators,
  'task.remove-dependency': operators,
  'task.expand': operators,
  'task.cancel': operators,
  'task.retry': operators,
  'task.claim': workers,
  'task.renew': workers,
  'task.report-progress': workers,
  'task.submit': workers,
  'task.release': workers,
  'agent.register': operators,
  'agent.change': operators,
  'agent.activate': operators,
  'agent.deactivate': operators,
  'agent.deregister': operators,
  'agent.beat': workers,
  'agent.claim-next': workers,
  'agent.report-error': workers,
  'agent.clear-error': workers,
  'merge-queue.release': operators,
  'key.revoke': administrators,
};

/** What a command needs to come as far as the check of its role. */
export const commandData: Readonly<Record<string, object>> = {
  'task.create': { title: 'x' },
  'agent.register': { name: 'x' },
  'task.add-dependency': { dependsOn: newId() },
  'task.remove-dependency': { dependsOn: newId() },
  'task.expand': { subtasks: [{ title: 'x' }] },
  'task.renew': { claimId: newId() },
  'task.report-progress': { claimId: newId(), note: 'x' },
  'task.submit': { claimId: newId(), commit: null },
  'task.release': { claimId: newId(), reason: 'x' },
  'agent.report-error': { message: 'x' },
  'merge-queue.release': { runId: newId(), reason: 'x' },
};
