import { z } from 'zod';
import { defineCommands, operators } from '../../define-commands.ts';
import { text } from '../../text.ts';
import { uuid } from '../../values.ts';
import { mergeQueueEvents } from './events.ts';

const { MergeQueued, MergeTurnEnded } = mergeQueueEvents.events;

export const mergeQueueCommands = defineCommands({
  'merge-queue.enter': { data: MergeQueued.schema, sentBy: ['saga'] },
  'merge-queue.leave': {
    data: MergeTurnEnded.schema.extend({ outcome: z.enum(['merged', 'sent-back', 'left']) }),
    sentBy: ['saga'],
  },
  /** Takes turn or place from a run that stands still; one that goes on queues again behind the others. */
  'merge-queue.release': { data: z.strictObject({ runId: uuid, reason: text(1_000, 1) }), roles: operators },
});
