import type { Fold } from '../../define-events.ts';
import type { DependenciesEvent } from './events.ts';
import { readBuckets, writeBuckets } from './kept-edges.ts';

/**
 * A map from a task to others. A stream holds all edges of a repository, so the map is cut into buckets: one more edge copies one
 * bucket, not everything.
 */
type Targets = readonly (ReadonlyMap<string, readonly string[]> | undefined)[];

/** What the tasks of a repository wait for: those that they depend on, and, where a task is expanded, its parts. */
export type Edges = { readonly dependencies: Targets; readonly parts: Targets };

const BUCKETS = 1_024;

const targetsOf = (targets: Targets, taskId: string): readonly string[] => targets[bucketOf(taskId)]?.get(taskId) ?? [];

/** The tasks that a task depends on. */
export const waitsFor = (edges: Edges, taskId: string): readonly string[] => targetsOf(edges.dependencies, taskId);

/** The tasks that a task is expanded into, as far as they are told before they are created. */
export const partsOf = (edges: Edges, taskId: string): readonly string[] => targetsOf(edges.parts, taskId);

/** All tasks that wait for something. */
export const waitingTasks = (edges: Edges): ReadonlySet<string> =>
  new Set([...edges.dependencies, ...edges.parts].flatMap((bucket) => [...(bucket?.keys() ?? [])]));

/** How many tasks wait; one that does so for both kinds counts twice. */
export const countWaiting = ({ dependencies, parts }: Edges): number =>
  [...dependencies, ...parts].reduce((sum, bucket) => sum + (bucket?.size ?? 0), 0);

/** The way from the first of some tasks along all edges to another, both included; null when there is none. */
export function pathBetween(edges: Edges, from: readonly string[], to: string): readonly string[] | null {
  const cameFrom = new Map<string, string | null>(from.map((id) => [id, null]));
  const open = [...cameFrom.keys()];
  for (let here = open.pop(); here !== undefined; here = open.pop()) {
    if (here === to) return wayBack(cameFrom, to);
    for (const next of [...waitsFor(edges, here), ...partsOf(edges, here)]) {
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, here);
      open.push(next);
    }
  }
  return null;
}

/** @param cameFrom where the walk came to each task from; null for those that it began with */
export function wayBack(cameFrom: ReadonlyMap<string, string | null>, to: string): string[] {
  const way: string[] = [];
  for (let here: string | null = to; here !== null; here = cameFrom.get(here) ?? null) way.push(here);
  return way.reverse();
}

/** Ids differ most in their last digits. */
const bucketOf = (taskId: string): number => Number.parseInt(taskId.slice(-3), 16) % BUCKETS;

function withTargets(targets: Targets, taskId: string, change: (ids: readonly string[]) => readonly string[]): Targets {
  const before = targetsOf(targets, taskId);
  const after = change(before);
  if (before.length === 0 && after.length === 0) return targets;
  const bucket = new Map(targets[bucketOf(taskId)]);
  if (after.length === 0) bucket.delete(taskId);
  else bucket.set(taskId, after);
  const copy = targets.slice();
  copy[bucketOf(taskId)] = bucket;
  return copy;
}

const without =
  (gone: readonly string[]) =>
  (ids: readonly string[]): readonly string[] =>
    ids.filter((id) => !gone.includes(id));

const nothing = (): readonly string[] => [];

function evolve({ dependencies, parts }: Edges, { type, data }: DependenciesEvent): Edges {
  const { taskId } = data;
  switch (type) {
    case 'DependencyAdded':
      return { dependencies: withTargets(dependencies, taskId, (ids) => [...ids, data.dependsOn]), parts };
    case 'DependencyRemoved':
      return { dependencies: withTargets(dependencies, taskId, without([data.dependsOn])), parts };
    case 'SubtasksAdded':
      return { dependencies, parts: withTargets(parts, taskId, (ids) => [...ids, ...data.subtasks]) };
    case 'SubtasksRemoved':
      return { dependencies, parts: withTargets(parts, taskId, without(data.subtasks)) };
    case 'DependenciesSettled':
      return {
        dependencies: withTargets(dependencies, taskId, nothing),
        parts: withTargets(parts, taskId, nothing),
      };
  }
}

export const dependenciesFold: Fold<Edges, DependenciesEvent> = {
  type: 'dependencies',
  initial: { dependencies: [], parts: [] },
  snapshot: {
    version: 1,
    write: ({ dependencies, parts }) => ({ dependencies: writeBuckets(dependencies), parts: writeBuckets(parts) }),
    read: (kept) => {
      const { dependencies, parts } = kept as { readonly dependencies?: unknown; readonly parts?: unknown };
      return { dependencies: readBuckets(dependencies), parts: readBuckets(parts) };
    },
  },
  evolve,
};
