import { dependenciesId } from '@workledger/shared/events/dependencies.ts';
import { waitsFor } from '../domain/task/edges.ts';
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
  for (const [here, way] of ways) {
    if (targets.includes(here)) return way;
    if (ways.size > MOST_TASKS) return null;
    const { repository, subtasks } = (await room.tasks.load(here)).state;
    const edges = (await room.dependencies.load(dependenciesId(repository))).state;
    for (const next of [...waitsFor(edges, here), ...subtasks]) if (!ways.has(next)) ways.set(next, [...way, next]);
  }
  return null;
}
