import type { z } from 'zod';
import type { complexity, taskSource, TaskResult } from './events.ts';
import type { Failure } from '../../values.ts';
import { defineReadModel } from '../../define-row.ts';

export const taskStates = ['pending', 'in-progress', 'validation', 'complete', 'failed', 'cancelled'] as const;
type TaskState = (typeof taskStates)[number];

export type TaskRow = {
  readonly id: string;
  readonly revision: number;
  readonly state: TaskState;
  readonly title: string;
  /** Personal. */
  readonly description: string;
  readonly priority: number;
  readonly labels: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly capabilities: readonly string[];
  readonly repository: string | null;
  readonly parentId: string | null;
  /** Its work is done by these; empty: by itself. */
  readonly subtasks: readonly string[];
  readonly sourceKind: z.infer<typeof taskSource>['kind'];
  readonly sourceReference: string | null;
  readonly sourceUrl: string | null;
  /** Personal. */
  readonly requester: string | null;
  readonly assignee: string | null;
  readonly complexity: z.infer<typeof complexity> | null;
  /** The claim that holds it now, or under which it ended. */
  readonly claimId: string | null;
  readonly agentId: string | null;
  readonly runtime: 'command' | 'remote' | null;
  readonly leaseSeconds: number | null;
  readonly claimedAt: string | null;
  readonly progressNote: string | null;
  readonly progressPercent: number | null;
  readonly submittedCommit: string | null;
  /** How often it was claimed. */
  readonly attempts: number;
  /** How often validation sent it back. */
  readonly sentBack: number;
  readonly result: TaskResult | null;
  readonly failure: Failure | null;
  /** Why it was last cancelled, released, sent back or retried. */
  readonly reason: string | null;
  readonly createdAt: string;
  /** Since when it asks for an agent: created or retried. */
  readonly waitingSince: string;
  readonly updatedAt: string;
  readonly finishedAt: string | null;
};

export const taskModel = defineReadModel<TaskRow>({
  name: 'tasks',
  version: 1,
  table: 'tasks',
  streams: ['task'],
  columns: {
    id: true,
    revision: true,
    state: true,
    title: true,
    description: true,
    priority: true,
    labels: true,
    metadata: true,
    capabilities: true,
    repository: true,
    parentId: true,
    subtasks: true,
    sourceKind: true,
    sourceReference: true,
    sourceUrl: true,
    requester: true,
    assignee: true,
    complexity: true,
    claimId: true,
    agentId: true,
    runtime: true,
    leaseSeconds: true,
    claimedAt: true,
    progressNote: true,
    progressPercent: true,
    submittedCommit: true,
    attempts: true,
    sentBack: true,
    result: true,
    failure: true,
    reason: true,
    createdAt: true,
    waitingSince: true,
    updatedAt: true,
    finishedAt: true,
  },
});
