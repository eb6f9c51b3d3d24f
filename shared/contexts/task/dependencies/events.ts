import { z } from 'zod';
import { defineStreamType, type EventOf } from '../../define-events.ts';
import { derivedId, streamName } from '../../stream.ts';
import { uuid } from '../../values.ts';

const edge = z.strictObject({ taskId: uuid, dependsOn: uuid });

/** All "waits for" edges between the tasks of one repository live in one stream, so that its decider can refuse a cycle. */
export const dependenciesEvents = defineStreamType({
  type: 'dependencies',
  context: 'task',
  events: {
    DependencyAdded: { version: 1, schema: edge },
    DependencyRemoved: { version: 1, schema: edge },
  },
});
export type DependenciesEvent = EventOf<typeof dependenciesEvents>;

/** The id of the edge stream of a repository; tasks without one share a stream. */
export const dependenciesId = (repository: string | null): string => derivedId('dependencies', repository ?? '');

/** The edge stream of a repository; tasks without one share a stream. */
export const dependenciesStream = (repository: string | null): string =>
  streamName('dependencies', dependenciesId(repository));
