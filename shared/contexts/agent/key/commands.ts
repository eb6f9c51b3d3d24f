import { administrators, defineCommands } from '../../define-commands.ts';
import { z } from 'zod';
import { role } from './events.ts';
import { text, uuid } from '../../text.ts';

const repositories = z.array(text(200, 1)).min(1).max(100);

export const keyCommands = defineCommands({
  'key.create': {
    data: z.strictObject({
      name: text(200, 1),
      role,
      agentId: uuid.nullable().default(null),
      userId: uuid
        .nullable()
        .optional()
        .describe('the person whose key it is: it may what its role and theirs both allow. Null: nobody'),
      expiresAt: z.iso
        .datetime()
        .nullable()
        .optional()
        .describe('from then on it is refused, by the clock of the service; at most ten years ahead. Null: never'),
      repositories: repositories
        .nullable()
        .optional()
        .describe('a key of role viewer, agent or operator may be limited to the tasks of these; null: all'),
      macKey: z
        .string()
        .regex(/^[0-9a-f]{8}$/)
        .nullable()
        .optional(),
      /** SHA-256 (hex) of the secret of a key that is nobody's; the secret itself is never part of a command. */
      secretHash: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .optional(),
      /** Of a user's key, whose hash is no part of a command either: names the row that was written for it. */
      secretId: uuid.optional(),
    }),
    roles: administrators,
    // From the files that a system starts with.
    sentBy: ['command-service'],
    creates: true,
    alone: true,
  },
  'key.revoke': {
    data: z.strictObject({ reason: text(1_000, 1).default('revoked on request') }),
    roles: administrators,
  },
});
