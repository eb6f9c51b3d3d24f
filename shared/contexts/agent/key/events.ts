import { z } from 'zod';
import { defineStreamType, type EventOf } from '../../define-events.ts';
import { uuid } from '../../values.ts';

/** `service`: a process of the system itself, which sends commands in the name of sagas and agents, and may do nothing else. */
export const role = z.enum(['viewer', 'agent', 'operator', 'auditor', 'admin', 'service']);
export type Role = z.infer<typeof role>;

export const keyEvents = defineStreamType({
  type: 'key',
  context: 'agent',
  events: {
    KeyCreated: {
      version: 1,
      schema: z.strictObject({
        name: z.string(),
        role,
        /** A key of role `agent` speaks for this agent only. */
        agentId: uuid.nullable(),
        /** It is this person's, and does at most what they may; left out: nobody's. */
        userId: uuid.optional(),
        /** SHA-256 (hex) of the secret: enough, since the secret is 32 random bytes. Left out: `secretId` tells where it is. */
        secretHash: z.string().optional(),
        /** Names the row that has the hash: that of a user's key is in a table of command-service, and in no event. */
        secretId: uuid.optional(),
        /** Names the MAC key that the key was made under; left out: it has no MAC. */
        macKey: z.string().optional(),
        /** From then on it is refused; left out: never. */
        expiresAt: z.iso.datetime().optional(),
        /** It reads and changes tasks of these repositories only; left out: of all. */
        repositories: z.array(z.string()).optional(),
      }),
      private: ['secretHash', 'secretId'],
    },
    KeyRevoked: { version: 1, schema: z.strictObject({ reason: z.string() }) },
  },
});
export type KeyEvent = EventOf<typeof keyEvents>;
