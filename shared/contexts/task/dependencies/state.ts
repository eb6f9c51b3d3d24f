import type { Fold } from '../../define-events.ts';
import type { DependenciesEvent } from './events.ts';
import { readBuckets, writeBuckets } from './kept-edges.ts';

/**
 * "Waits for" edges between tasks: a map from a task to those it waits for. A stream holds all edges of a repository, so the map
 * is cut into buckets: one more edge copies one bucket, not everything.
 */
export type Edges = readonly (ReadonlyMap<string, readonly string[]> | undefined)[];

const BUCKETS = 256;

export const waitsFor = (edges: Edges, taskId: string): readonly string[] => edges[bucketOf(taskId)]?.get(taskId) ?? [];

const withEdge = (edges: Edges, taskId: string, dependsOn: string): Edges =>
  replaced(edges, taskId, [...waitsFor(edges, taskId), dependsOn]);

const withoutEdge = (edges: Edges, taskId: string, dependsOn: string): Edges =>
  replaced(
    edges,
    taskId,
    waitsFor(edges, taskId).filter((id) => id !== dependsOn),
  );

/** The way from one task along its edges to another, both included; null when there is none. */
export function pathBetween(edges: Edges, from: string, to: string): readonly string[] | null {
  const cameFrom = new Map<string, string | null>([[from, null]]);
  const open = [from];
  for (let here = open.pop(); here !== undefined; here = open.pop()) {
    if (here === to) return wayBack(cameFrom, to);
    for (const next of waitsFor(edges, here)) {
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, here);
      open.push(next);
    }
  }
  return null;
}

function wayBack(cameFrom: ReadonlyMap<string, string | null>, to: string): string[] {
  const way: string[] = [];
  for (let here: string | null = to; here !== null; here = cameFrom.get(here) ?? null) way.unshift(here);
  return way;
}

/** Ids differ most in their last digits. */
const bucketOf = (taskId: string): number => Number.parseInt(taskId.slice(-2), 16) % BUCKETS;

function replaced(edges: Edges, taskId: string, targets: readonly string[]): Edges {
  const bucket = new Map(edges[bucketOf(taskId)]);
  if (targets.length === 0) bucket.delete(taskId);
  else bucket.set(taskId, targets);
  const copy = edges.slice();
  copy[bucketOf(taskId)] = bucket;
  return copy;
}

export const dependenciesFold: Fold<Edges, DependenciesEvent> = {
  type: 'dependencies',
  initial: [],
  snapshot: { version: 1, write: writeBuckets, read: readBuckets },
  evolve: (edges, { type, data: { taskId, dependsOn } }) =>
    type === 'DependencyAdded' ? withEdge(edges, taskId, dependsOn) : withoutEdge(edges, taskId, dependsOn),
};
