import type { Commands } from '@workledger/shared/commands/port.ts';
import type { Route } from '@workledger/shared/http/route.ts';
import { z } from 'zod';
import { creation, intention, intentionFromPath, pathId } from './command-route.ts';
import { taskPutRoute } from './task-put-route.ts';

const TASKS = '/api/v1/tasks';
const TASK = `${TASKS}/{id}`;
/** A description may have 65,536 characters, each of up to six bytes where JSON escapes it. */
const WORDY_BYTES = 512 * 1024;
const edgeParams = z.strictObject({ id: pathId, dependsOn: pathId });

/** The intentions that change a task. */
export const taskRoutes = (commands: Commands): Route[] => [
  creation(commands, {
    method: 'post',
    path: TASKS,
    type: 'task.create',
    maxBodyBytes: WORDY_BYTES,
    summary: 'Create a task',
    problems: ['unknown-repository', 'unknown-reference', 'dependency-cycle', 'graph-too-large'],
  }),
  intention(commands, {
    method: 'patch',
    path: TASK,
    type: 'task.change',
    maxBodyBytes: WORDY_BYTES,
    summary: 'Change details of a task',
    description: 'Fields that are left out stay as they are.',
  }),
  taskPutRoute(commands, WORDY_BYTES),
  intention(commands, {
    method: 'delete',
    path: TASK,
    type: 'task.cancel',
    summary: 'Cancel a task',
    description: 'The log keeps it: a task is cancelled, never deleted.',
  }),
  intention(commands, {
    method: 'post',
    path: `${TASK}/claim`,
    type: 'task.claim',
    summary: 'Claim a task for an agent',
    description: 'Answers the `claimId` that renewals, reports and results must name, and the lease in seconds.',
    problems: ['no-capacity', 'missing-capability', 'blocked', 'unknown-reference'],
  }),
  intention(commands, {
    method: 'post',
    path: `${TASK}/renew`,
    type: 'task.renew',
    summary: 'Renew the lease of a claim',
    problems: ['claim-mismatch'],
  }),
  intention(commands, {
    method: 'post',
    path: `${TASK}/progress`,
    type: 'task.report-progress',
    summary: 'Report progress under a claim',
    problems: ['claim-mismatch'],
  }),
  intention(commands, {
    method: 'post',
    path: `${TASK}/submit`,
    type: 'task.submit',
    summary: 'Submit the work of a claim for validation',
    problems: ['claim-mismatch', 'unknown-reference'],
  }),
  intention(commands, {
    method: 'post',
    path: `${TASK}/release`,
    type: 'task.release',
    summary: 'Give a claimed task back to the queue',
    problems: ['claim-mismatch'],
  }),
  intention(commands, { method: 'post', path: `${TASK}/cancel`, type: 'task.cancel', summary: 'Cancel a task' }),
  intention(commands, {
    method: 'post',
    path: `${TASK}/retry`,
    type: 'task.retry',
    summary: 'Start a failed or cancelled task again',
  }),
  intention(commands, {
    method: 'post',
    path: `${TASK}/expand`,
    type: 'task.expand',
    maxBodyBytes: WORDY_BYTES,
    summary: 'Expand a task into subtasks',
    description: 'The task completes when they do.',
    problems: ['unknown-repository', 'unknown-reference', 'dependency-cycle', 'graph-too-large'],
  }),
  intention(commands, {
    method: 'post',
    path: `${TASK}/dependencies`,
    type: 'task.add-dependency',
    summary: 'Let a task wait for another',
    problems: ['unknown-reference', 'dependency-cycle', 'graph-too-large'],
  }),
  intentionFromPath(commands, {
    method: 'delete',
    path: `${TASK}/dependencies/{dependsOn}`,
    type: 'task.remove-dependency',
    summary: 'Let a task no longer wait for another',
    params: edgeParams,
    data: ({ dependsOn }) => ({ dependsOn }),
  }),
];
