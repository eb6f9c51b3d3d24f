import { dependenciesId } from '@workledger/shared/contexts/task/dependencies/events.ts';
import { waitsFor, type Edges } from '@workledger/shared/contexts/task/dependencies/state.ts';
import type { Room } from './room.ts';

const MOST_TASKS = 1_000;

/**
 * The way from a task to the first of others, along what each waits for: its dependencies and its subtasks. Null when there is
 * none among the nearest thousand tasks.
 */
export async function wayBetween(
  room: Room,
  from: string,
  targets: readonly string[],
): Promise<readonly string[] | null> {
  const ways = new Map<string, readonly string[]>([[from, [from]]]);
  const edgesOf = new Map<string | null, Edges>();
  for (const [here, way] of ways) {
    if (targets.includes(here)) return way;
    if (ways.size > MOST_TASKS) return null;
    const { repository, subtasks } = (await room.tasks.load(here)).state;
    const edges = edgesOf.get(repository) ?? (await room.dependencies.load(dependenciesId(repository))).state;
    edgesOf.set(repository, edges);
    for (const next of [...waitsFor(edges, here), ...subtasks]) if (!ways.has(next)) ways.set(next, [...way, next]);
  }
  return null;
}
