import { streamId } from '@workledger/shared/contexts/stream.ts';
import type { WorkflowEvent } from '@workledger/shared/contexts/task/workflow/events.ts';
import {
  workflowModel,
  workflowVersionModel,
  type WorkflowRow,
  type WorkflowVersionRow,
} from '@workledger/shared/contexts/task/workflow/row.ts';
import { defineProjection, existing, type Recorded } from '../engine/projection.ts';
import { workflowsMigrations, workflowVersionsMigrations } from './migration.ts';

/** A row a workflow: its newest version in short. */
export const workflows = defineProjection<WorkflowRow, Recorded<WorkflowEvent>>(workflowModel, {
  migrations: workflowsMigrations,
  key: ({ stream }) => [streamId(stream)],
  fold: (row, event, id) => {
    const at = event.recordedAt.toISOString();
    if (event.type === 'WorkflowRetired')
      return { ...existing(row, event), revision: event.revision, state: 'retired', changedAt: at };
    const { version, definition, repository, definedBy } = event.data;
    const { name, description, steps } = definition;
    return {
      ...{ id, revision: event.revision, name, repository, version, definedBy },
      description: typeof description === 'string' ? description : null,
      steps: steps.length,
      state: 'active',
      createdAt: row?.createdAt ?? at,
      changedAt: at,
    };
  },
});

/** A row a version, which never changes. */
export const workflowVersions = defineProjection<WorkflowVersionRow, Recorded<WorkflowEvent>>(workflowVersionModel, {
  migrations: workflowVersionsMigrations,
  key: ({ stream, type, data }) =>
    type === 'WorkflowDefined' ? [`${streamId(stream)}/${(data as { version: number }).version}`] : [],
  fold: (row, event, id) => {
    if (event.type !== 'WorkflowDefined') return row;
    const { version, definition, definedBy } = event.data;
    const workflowId = streamId(event.stream);
    const definedAt = event.recordedAt.toISOString();
    return { ...{ id, revision: event.revision, workflowId, version, definedBy, definedAt }, definition };
  },
});
