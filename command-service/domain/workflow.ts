import type { Aggregate } from '@workledger/shared/aggregate/aggregate.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import type { DataOf } from '@workledger/shared/contexts/define-commands.ts';
import type { workflowCommands } from '@workledger/shared/contexts/task/workflow/commands.ts';
import type { Definition } from '@workledger/shared/contexts/task/workflow/definition.ts';
import type { WorkflowEvent } from '@workledger/shared/contexts/task/workflow/events.ts';
import { workflowFold, type WorkflowState } from '@workledger/shared/contexts/task/workflow/state.ts';

/** A named definition, version after version. What it says was judged before it comes here. */
export const workflow: Aggregate<WorkflowState, WorkflowEvent, DataOf<typeof workflowCommands>> = {
  ...workflowFold,
  decisions: {
    'workflow.define': (data, state, { actor }) => {
      if (state !== null) refuse('already-exists', 'this workflow exists already');
      return [defined(1, data, actor)];
    },
    'workflow.change': (data, state, { actor }) => {
      const { versions, retired } = existing(state);
      if (retired) refuse('illegal-transition', 'the workflow is retired: define a new one', { status: 'retired' });
      if (JSON.stringify(data) === JSON.stringify(versions.at(-1))) return [];
      return [defined(versions.length + 1, data, actor)];
    },
    'workflow.retire': ({ reason }, state, { actor }) =>
      existing(state).retired ? [] : [{ type: 'WorkflowRetired', data: { retiredBy: actor, reason } }],
  },
};

const defined = (version: number, definition: Definition, definedBy: string): WorkflowEvent => ({
  type: 'WorkflowDefined',
  data: { version, definition: { ...definition }, repository: definition.repository ?? null, definedBy },
});

const existing = (state: WorkflowState): NonNullable<WorkflowState> =>
  state ?? refuse('not-found', 'there is no such workflow');
