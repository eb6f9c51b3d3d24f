import { z } from 'zod';
import { defineCommands, workers } from '../../define-commands.ts';
import { text, word } from '../../text.ts';
import { complexityLevel } from './events.ts';

const tokens = z.int().min(0).max(10_000_000).nullable().default(null);

export const routingCommands = defineCommands({
  'routing.choose': {
    data: z.strictObject({
      taskType: word,
      complexity: complexityLevel,
      preferredModel: text(100, 1).nullable().default(null),
      repository: text(200, 1).nullable().default(null),
      inputTokens: tokens,
      outputTokens: tokens,
    }),
    roles: workers,
    creates: true,
    alone: true,
  },
  'routing.report-outcome': {
    data: z.strictObject({
      succeeded: z.boolean().describe('whether what the model made was good in the end'),
      costUsd: z.number().min(0).max(100_000).nullable().default(null).describe('US dollars; null: nobody knows'),
    }),
    roles: workers,
    alone: true,
  },
});
