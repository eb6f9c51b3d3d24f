import { defineReadModel } from '../../define-row.ts';

/** One "waits for" edge. Whether a task is blocked is asked when it is asked: an edge to a task that is not complete. */
export type DependencyRow = {
  /** `<stream>/<taskId>/<dependsOn>` */
  readonly id: string;
  readonly taskId: string;
  readonly dependsOn: string;
  readonly addedAt: string;
};

export const dependencyModel = defineReadModel<DependencyRow>({
  name: 'dependencies',
  version: 1,
  table: 'dependencies',
  streams: ['dependencies'],
  columns: { id: true, taskId: true, dependsOn: true, addedAt: true },
});
