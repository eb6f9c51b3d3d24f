import type { Aggregate } from '@workledger/shared/aggregate/aggregate.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import type { DependenciesEvent } from '@workledger/shared/contexts/task/dependencies/events.ts';
import {
  dependenciesFold,
  partsOf,
  pathBetween,
  waitsFor,
  type Edges,
} from '@workledger/shared/contexts/task/dependencies/state.ts';

export type DependenciesDecisions = {
  /** All of them or none. `finished`: tasks that are known to be complete, whose own edges are over. */
  'dependencies.add': { taskId: string; dependsOn: readonly string[]; finished?: readonly string[] };
  /** A task's parts, and what they wait for in their turn, before they are created. */
  'dependencies.expand': {
    taskId: string;
    subtasks: readonly string[];
    edges: readonly { taskId: string; dependsOn: readonly string[] }[];
    finished?: readonly string[];
  };
  /** A task was not expanded into these; those that were never created wait for nothing. */
  'dependencies.give-up': { taskId: string; subtasks: readonly string[]; missing: readonly string[] };
  'dependencies.settle': { finished: readonly string[] };
  'dependencies.remove': { taskId: string; dependsOn: readonly string[] };
};

/**
 * Which task of a repository waits for which: for those that it depends on, and for its parts. One stream for all of them, so that
 * two commands at once cannot close a cycle together: the second is decided again on what the first left.
 */
export const dependencies: Aggregate<Edges, DependenciesEvent, DependenciesDecisions> = {
  ...dependenciesFold,
  decisions: {
    'dependencies.add': ({ taskId, dependsOn, finished = [] }, edges) => {
      const added = newEdges(edges, { taskId, dependsOn });
      if (added.length === 0) return [];
      const settled = settle(edges, finished);
      const back = pathBetween(after(edges, settled), targets(added), taskId);
      if (back !== null) refuseCycle([taskId, ...back]);
      return [...settled, ...added];
    },
    'dependencies.expand': ({ taskId, subtasks, edges: wanted, finished = [] }, edges) => {
      const parts = subtasks.filter((id) => !partsOf(edges, taskId).includes(id));
      const added = wanted.flatMap((each) => newEdges(edges, each));
      if (parts.length === 0 && added.length === 0) return [];
      const settled = settle(edges, finished);
      const back = pathBetween(after(edges, settled), targets(added), taskId);
      const part = added.find(({ data }) => data.dependsOn === back?.[0])?.data.taskId;
      if (back !== null && part !== undefined) refuseCycle([part, ...back, part]);
      const told = parts.length === 0 ? [] : [{ type: 'SubtasksAdded' as const, data: { taskId, subtasks: parts } }];
      return [...settled, ...told, ...added];
    },
    'dependencies.give-up': ({ taskId, subtasks, missing }, edges) => {
      const parts = subtasks.filter((id) => partsOf(edges, taskId).includes(id));
      const told = parts.length === 0 ? [] : [{ type: 'SubtasksRemoved' as const, data: { taskId, subtasks: parts } }];
      const gone = missing.flatMap((id) =>
        waitsFor(edges, id).map((dependsOn) => ({
          type: 'DependencyRemoved' as const,
          data: { taskId: id, dependsOn },
        })),
      );
      return [...told, ...gone];
    },
    'dependencies.settle': ({ finished }, edges) => settle(edges, finished),
    'dependencies.remove': ({ taskId, dependsOn }, edges) =>
      [...new Set(dependsOn)]
        .filter((id) => waitsFor(edges, taskId).includes(id))
        .map((id) => ({ type: 'DependencyRemoved', data: { taskId, dependsOn: id } })),
  },
};

type Added = Extract<DependenciesEvent, { type: 'DependencyAdded' }>;
type Wanted = { readonly taskId: string; readonly dependsOn: readonly string[] };

const newEdges = (edges: Edges, { taskId, dependsOn }: Wanted): readonly Added[] =>
  [...new Set(dependsOn)]
    .filter((id) => !waitsFor(edges, taskId).includes(id))
    .map((id) => ({ type: 'DependencyAdded', data: { taskId, dependsOn: id } }));

const targets = (added: readonly Added[]): readonly string[] => added.map(({ data }) => data.dependsOn);

const settle = (edges: Edges, finished: readonly string[]): readonly DependenciesEvent[] =>
  [...new Set(finished)]
    .filter((id) => waitsFor(edges, id).length + partsOf(edges, id).length > 0)
    .map((taskId) => ({ type: 'DependenciesSettled', data: { taskId } }));

const after = (edges: Edges, events: readonly DependenciesEvent[]): Edges =>
  events.reduce(dependenciesFold.evolve, edges);

/** `cycle` begins and ends with the same task. */
export const refuseCycle = (cycle: readonly string[]): never =>
  refuse('dependency-cycle', `this dependency would close a cycle: ${cycle.join(' → ')}`, { cycle });
