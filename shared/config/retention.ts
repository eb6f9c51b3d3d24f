import { z } from 'zod';

/** How long what was made stays in an origin. */
export const retentionSchema = z.strictObject({
  resultDays: z
    .number()
    .positive()
    .max(36_500)
    .nullable()
    .default(30)
    .describe(
      'so long after its task has ended a commit that was made or judged stays in the origin, below refs/workledger; null: for ever',
    ),
  branches: z
    .enum(['keep', 'delete'])
    .default('delete')
    .describe('of work that failed; work that passed its tests keeps its branch'),
});

/** Of messages. */
export const messagesSchema = z.strictObject({
  retentionDays: z
    .number()
    .positive()
    .max(36_500)
    .default(90)
    .describe('messages that are older are in no inbox and no list any more; the log keeps them'),
});
