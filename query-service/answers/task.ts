import { z } from 'zod';
import { taskSource } from '@workledger/shared/contexts/task/task/events.ts';
import { taskStates } from '@workledger/shared/contexts/task/task/row.ts';
import { failure, id, revision, time } from './values.ts';

/** A task as it is in a list. */
export const listedTask = z.looseObject({
  id,
  revision,
  state: z.enum(taskStates),
  title: z.string(),
  priority: z.int().min(1).max(5),
  labels: z.array(z.string()),
  capabilities: z.array(z.string()),
  repository: z.string().nullable(),
  parentId: id.nullable(),
  subtasks: z.array(id),
  sourceKind: taskSource.shape.kind,
  sourceReference: z.string().nullable(),
  assignee: z.string().nullable(),
  claimId: id.nullable(),
  agentId: id.nullable(),
  attempts: z.int(),
  result: z
    .looseObject({ commit: z.string().nullable(), branch: z.string().nullable(), merged: z.boolean() })
    .nullable(),
  failure,
  createdAt: time,
  updatedAt: time,
  finishedAt: time.nullable(),
  blocked: z.boolean(),
});

const related = z.array(z.looseObject({ taskId: id, title: z.string().nullable(), state: z.string().nullable() }));
const runs = z.array(z.looseObject({ id, state: z.string(), href: z.string() }));

export const wholeTask = listedTask.extend({
  description: z.string(),
  metadata: z.record(z.string(), z.string()),
  dependencies: related.describe('what it waits for'),
  dependents: related.describe('what waits for it'),
  pipelines: runs,
  generations: runs,
  evolutions: runs,
  validations: runs,
  history: z.array(
    z.looseObject({ type: z.string(), revision, recordedAt: time, data: z.record(z.string(), z.unknown()) }),
  ),
});

export const nextTasksAnswer = z.object({ items: z.array(z.looseObject({ taskId: id, urgency: z.number() })) });
