import { z } from 'zod';
import { defineCommands, participants } from '../../define-commands.ts';
import { uuid } from '../../text.ts';
import { topic } from '../message/commands.ts';

export const inboxCommands = defineCommands({
  'inbox.subscribe': { data: z.strictObject({ topic }), roles: participants, alone: true },
  'inbox.unsubscribe': { data: z.strictObject({ topic }), roles: participants, alone: true },
  'inbox.read-all': {
    data: z.strictObject({
      through: uuid.nullable().default(null).describe('the newest message that was seen; null: all there is now'),
    }),
    roles: participants,
    alone: true,
  },
});
