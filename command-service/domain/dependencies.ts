import type { Aggregate } from '@workledger/shared/aggregate/aggregate.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import type { DependenciesEvent } from '@workledger/shared/contexts/task/dependencies/events.ts';
import {
  dependenciesFold,
  pathBetween,
  waitsFor,
  type Edges,
} from '@workledger/shared/contexts/task/dependencies/state.ts';

export type DependenciesDecisions = {
  /** All of them or none. */
  'dependencies.add': { taskId: string; dependsOn: readonly string[] };
  'dependencies.remove': { taskId: string; dependsOn: readonly string[] };
};

/**
 * Which task of a repository waits for which. One stream for all of them, so that two edges added at once cannot close a cycle
 * together: the second is decided again on what the first left.
 */
export const dependencies: Aggregate<Edges, DependenciesEvent, DependenciesDecisions> = {
  ...dependenciesFold,
  decisions: {
    'dependencies.add': ({ taskId, dependsOn }, edges) => {
      const added = [...new Set(dependsOn)].filter((id) => !waitsFor(edges, taskId).includes(id));
      for (const id of added) {
        const back = pathBetween(edges, id, taskId);
        if (back !== null) refuseCycle([taskId, ...back]);
      }
      return added.map((id) => ({ type: 'DependencyAdded', data: { taskId, dependsOn: id } }));
    },
    'dependencies.remove': ({ taskId, dependsOn }, edges) =>
      [...new Set(dependsOn)]
        .filter((id) => waitsFor(edges, taskId).includes(id))
        .map((id) => ({ type: 'DependencyRemoved', data: { taskId, dependsOn: id } })),
  },
};

/** `cycle` begins and ends with the same task. */
export const refuseCycle = (cycle: readonly string[]): never =>
  refuse('dependency-cycle', `this dependency would close a cycle: ${cycle.join(' → ')}`, { cycle });
