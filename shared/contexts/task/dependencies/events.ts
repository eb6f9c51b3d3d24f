import { z } from 'zod';
import { defineStreamType, type EventOf } from '../../define-events.ts';
import { derivedId, streamName } from '../../stream.ts';
import { uuid } from '../../values.ts';

const edge = z.strictObject({ taskId: uuid, dependsOn: uuid });
const parts = z.strictObject({ taskId: uuid, subtasks: z.array(uuid).min(1) });

/**
 * All "waits for" edges between the tasks of one repository live in one stream, so that its decider can refuse a cycle. A task waits
 * for those that it depends on, and one that is expanded for its parts.
 */
export const dependenciesEvents = defineStreamType({
  type: 'dependencies',
  context: 'task',
  events: {
    DependencyAdded: { version: 1, schema: edge },
    DependencyRemoved: { version: 1, schema: edge },
    /** A task is about to be expanded: told before its subtasks are created. */
    SubtasksAdded: { version: 1, schema: parts },
    /** It was not expanded into these after all. */
    SubtasksRemoved: { version: 1, schema: parts },
    /** The task is complete, which is final: it waits for nothing any more. */
    DependenciesSettled: { version: 1, schema: z.strictObject({ taskId: uuid }) },
  },
});
export type DependenciesEvent = EventOf<typeof dependenciesEvents>;

/** The id of the edge stream of a repository; tasks without one share a stream. */
export const dependenciesId = (repository: string | null): string => derivedId('dependencies', repository ?? '');

/** The edge stream of a repository; tasks without one share a stream. */
export const dependenciesStream = (repository: string | null): string =>
  streamName('dependencies', dependenciesId(repository));
