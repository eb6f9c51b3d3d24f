import { z } from 'zod';
import { defineCommands, participants, workers } from '../../define-commands.ts';
import { participant } from '../../participant.ts';
import { text, uuid } from '../../text.ts';
import { messageTypeName } from '../message-type/commands.ts';

const KIBIBYTES_64 = 65_536;

export const topic = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, '1 to 100 letters, digits and . _ -, a letter or digit first');

export const messageCommands = defineCommands({
  'message.send': {
    data: z.strictObject({
      to: z.discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('participant'), participant }),
        z.strictObject({ kind: z.literal('topic'), topic }),
        z.strictObject({ kind: z.literal('all') }),
      ]),
      messageType: messageTypeName.nullable().default(null).describe('a registered type; null: plain words'),
      subject: text(300, 1),
      body: text(KIBIBYTES_64)
        .refine((value) => new TextEncoder().encode(value).byteLength <= KIBIBYTES_64, 'at most 64 KiB as UTF-8')
        .default(''),
      content: z
        .unknown()
        .optional()
        .describe('fits the JSON Schema of its type; without a type there is none. At most 64 KiB'),
      repository: text(200, 1).nullable().default(null).describe('keys that are limited to others do not see it'),
      taskId: uuid
        .nullable()
        .default(null)
        .describe('what it is about; it then belongs to the repository of that task'),
      replyTo: uuid.nullable().default(null).describe('the message that it answers'),
    }),
    roles: workers,
    sentBy: ['saga'],
    creates: true,
    inWorkflows: true,
  },
  'message.deliver': { data: z.strictObject({}), roles: participants, alone: true },
  'message.read': { data: z.strictObject({}), roles: participants, alone: true },
});
