import { z } from 'zod';
import { defineStreamType, personal, type EventOf } from '../../define-events.ts';
import { uuid } from '../../values.ts';

/** A comment has a stream of its own: what an issue decides about does not grow with what is said about it. */
export const commentEvents = defineStreamType({
  type: 'comment',
  context: 'task',
  events: {
    CommentWritten: {
      version: 1,
      schema: z.strictObject({
        issueId: uuid,
        /** Its issue's. */
        repository: z.string().nullable(),
        author: z.string(),
        body: personal('author'),
      }),
    },
    CommentEdited: { version: 1, schema: z.strictObject({ body: personal('author') }) },
    CommentDeleted: { version: 1, schema: z.strictObject({}) },
  },
});
export type CommentEvent = EventOf<typeof commentEvents>;
