import { z } from 'zod';
import { defineCommands, operators } from '../../define-commands.ts';
import { text } from '../../text.ts';

export const messageTypeName = z
  .string()
  .regex(/^[a-z][a-z0-9]*(?:[.-][a-z0-9]+)*$/, 'lower-case words with . or - between them')
  .max(100);

export const messageTypeCommands = defineCommands({
  'message-type.register': {
    data: z.strictObject({
      name: messageTypeName,
      description: text(1_000).default(''),
      schema: z
        .record(z.string(), z.unknown())
        .describe('JSON Schema, draft 2020-12: at most 16 KiB, references only within itself (#/$defs/…)'),
    }),
    roles: operators,
    alone: true,
  },
});
