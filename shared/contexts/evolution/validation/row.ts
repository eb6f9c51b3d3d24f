import type { ArtefactReference, Failure } from '../../values.ts';
import { defineReadModel } from '../../define-row.ts';

export type ValidationRow = {
  readonly id: string;
  readonly revision: number;
  readonly taskId: string;
  readonly runId: string;
  readonly repository: string;
  readonly state: 'requested' | 'passed' | 'back-to-work' | 'failed' | 'cancelled';
  readonly commit: string;
  readonly base: string;
  readonly report: ArtefactReference | null;
  /** Protected paths that the work had changed. */
  readonly protectedChanges: readonly string[];
  readonly failure: Failure | null;
  readonly reason: string | null;
  readonly requestedAt: string;
  readonly endedAt: string | null;
};

export const validationModel = defineReadModel<ValidationRow>({
  name: 'validations',
  version: 1,
  table: 'validations',
  streams: ['validation'],
  columns: {
    id: true,
    revision: true,
    taskId: true,
    runId: true,
    repository: true,
    state: true,
    commit: true,
    base: true,
    report: true,
    protectedChanges: true,
    failure: true,
    reason: true,
    requestedAt: true,
    endedAt: true,
  },
});
