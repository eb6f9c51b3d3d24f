import { z } from 'zod';
import { defineCommands, workers } from '../../define-commands.ts';
import { text, uuid } from '../../text.ts';

const body = text(20_000, 1);

export const commentCommands = defineCommands({
  'comment.create': { data: z.strictObject({ issueId: uuid, body }), roles: workers, inWorkflows: true, creates: true },
  /** By its author. */
  'comment.edit': { data: z.strictObject({ body }), roles: workers },
  /** By its author or an operator. */
  'comment.delete': { data: z.strictObject({}), roles: workers, inWorkflows: true },
});
