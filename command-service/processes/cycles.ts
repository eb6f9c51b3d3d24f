import { refuse } from '@workledger/shared/commands/refusal.ts';
import { dependenciesId } from '@workledger/shared/contexts/task/dependencies/events.ts';
import { partsOf, waitsFor, wayBack, type Edges } from '@workledger/shared/contexts/task/dependencies/state.ts';
import type { TaskState } from '@workledger/shared/contexts/task/task/state.ts';
import { sideBySide } from '@workledger/shared/resilience/in-turn.ts';
import { refuseCycle } from '../domain/dependencies.ts';
import type { Room } from './room.ts';

/** Tasks that one command looks at, at most: one that would need more is refused. */
export const MOST_TASKS = 2_000;
/** Tasks read at a time. */
export const SIDE_BY_SIDE = 16;

/** Looks at tasks; answers what they are, by id. @throws CommandRefused beyond the bound */
export type Look = (ids: readonly string[]) => Promise<(id: string) => TaskState>;

/** The tasks that one command looks at: each is read once, some of them side by side. */
export function createLook(room: Pick<Room, 'tasks'>): Look {
  const seen = new Map<string, TaskState>();
  const stateOf = (id: string): TaskState => {
    const state = seen.get(id);
    if (state === undefined) throw new RangeError(`task ${id} was not looked at`);
    return state;
  };
  return async (ids) => {
    const unseen = [...new Set(ids)].filter((id) => !seen.has(id));
    if (seen.size + unseen.length > MOST_TASKS)
      refuse(
        'graph-too-large',
        `more than ${MOST_TASKS} unfinished tasks hang together here, too many to rule out a cycle: complete some of them, or let fewer wait for one another`,
        { tasks: seen.size + unseen.length, limit: MOST_TASKS },
      );
    const loaded = await sideBySide(unseen, SIDE_BY_SIDE, (id) => room.tasks.load(id));
    unseen.forEach((id, index) => seen.set(id, loaded[index]!.state));
    return stateOf;
  };
}

export type Waiting = { readonly taskId: string; readonly dependsOn: readonly string[] };

/**
 * Walks once, level by level, along what is waited for from all that some tasks are to depend on: dependencies, and the parts of
 * what is expanded. It ends at tasks that are complete: they wait for nothing.
 * @param wholes what all of the waiting tasks are a part of, the nearest first
 * @returns the complete tasks that it met @throws CommandRefused when it comes back to one of them, or sees too many
 */
export async function refuseCycles(
  room: Room,
  look: Look,
  waiting: readonly Waiting[],
  wholes: readonly string[],
): Promise<readonly string[]> {
  const targets = new Set([...wholes, ...waiting.map(({ taskId }) => taskId)]);
  const cameFrom = new Map<string, string | null>(
    waiting.flatMap(({ dependsOn }) => dependsOn).map((id) => [id, null]),
  );
  const finished: string[] = [];
  const edgesOf = createEdges(room);
  for (let level = [...cameFrom.keys()]; level.length > 0;) {
    const stateOf = await look(level);
    const nextLevel: string[] = [];
    for (const id of level) {
      const { status, repository, subtasks } = stateOf(id);
      if (status === 'complete') finished.push(id);
      // A part that is told and not there yet is for the decision to see, which has its edges.
      if (status === 'complete' || status === 'missing') continue;
      if (targets.has(id)) refuseWayBack(wayBack(cameFrom, id), waiting, wholes);
      const edges = await edgesOf(repository);
      for (const next of [...waitsFor(edges, id), ...partsOf(edges, id), ...subtasks]) {
        if (cameFrom.has(next)) continue;
        cameFrom.set(next, id);
        nextLevel.push(next);
      }
    }
    level = nextLevel;
  }
  return finished;
}

function createEdges(room: Room): (repository: string | null) => Promise<Edges> {
  const known = new Map<string | null, Edges>();
  return async (repository) => {
    const edges = known.get(repository) ?? (await room.dependencies.load(dependenciesId(repository))).state;
    known.set(repository, edges);
    return edges;
  };
}

/** What a task, or what it is a part of, waits for must not wait for that: a whole completes when its parts do. */
function refuseWayBack(back: readonly string[], waiting: readonly Waiting[], wholes: readonly string[]): void {
  for (const { taskId, dependsOn } of waiting) {
    const upwards = [taskId, ...wholes];
    const end = upwards.indexOf(back.at(-1) ?? '');
    if (end >= 0 && dependsOn.includes(back[0] ?? ''))
      refuseCycle([taskId, ...back, ...upwards.slice(0, end).toReversed()]);
  }
}
