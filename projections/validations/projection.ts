import type { ValidationEvent } from '@workledger/shared/contexts/evolution/validation/events.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import { validationModel, type ValidationRow } from '@workledger/shared/contexts/evolution/validation/row.ts';
import { defineProjection, existing, type Recorded } from '../engine/projection.ts';
import { validationsMigrations } from './migration.ts';

export const validations = defineProjection<ValidationRow, Recorded<ValidationEvent>>(validationModel, {
  migrations: validationsMigrations,
  key: ({ stream }) => [streamId(stream)],
  fold: (row, event) => {
    const at = event.recordedAt.toISOString();
    if (event.type === 'ValidationRequested') return requested(event, at);
    const ended = { ...existing(row, event), revision: event.revision, endedAt: at };
    switch (event.type) {
      case 'ValidationPassed': {
        const { report, protectedChanges, checks = [] } = event.data;
        return { ...ended, state: 'passed', report, protectedChanges, checks };
      }
      case 'ValidationFailed': {
        const { failure, protectedChanges, verdict, checks = [] } = event.data;
        return { ...ended, state: verdict, report: failure.log, protectedChanges, failure, checks };
      }
      case 'ValidationCancelled':
        return { ...ended, state: 'cancelled', reason: event.data.reason };
    }
  },
});

type Requested = Extract<Recorded<ValidationEvent>, { type: 'ValidationRequested' }>;

const requested = ({ stream, revision, data }: Requested, at: string): ValidationRow => ({
  id: streamId(stream),
  revision,
  taskId: data.taskId,
  runId: data.runId,
  repository: data.repository,
  state: 'requested',
  commit: data.commit,
  base: data.base,
  report: null,
  protectedChanges: [],
  failure: null,
  reason: null,
  requestedAt: at,
  endedAt: null,
  checks: [],
});
