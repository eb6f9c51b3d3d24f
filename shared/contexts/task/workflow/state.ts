import { plainSnapshot, type Fold } from '../../define-events.ts';
import type { Definition } from './definition.ts';
import type { WorkflowEvent } from './events.ts';

/** A workflow as its stream tells it; null: there is none. */
export type WorkflowState = {
  /** Every version, the first one first: runs may be started of any. */
  readonly versions: readonly Definition[];
  readonly repository: string | null;
  readonly retired: boolean;
} | null;

export const workflowFold: Fold<WorkflowState, WorkflowEvent> = {
  type: 'workflow',
  initial: null,
  snapshot: plainSnapshot(1),
  evolve: (state, event) => {
    if (event.type === 'WorkflowRetired') return state && { ...state, retired: true };
    const { definition, repository } = event.data;
    const versions = [...(state?.versions ?? []), definition as unknown as Definition];
    return { versions, repository, retired: false };
  },
};
