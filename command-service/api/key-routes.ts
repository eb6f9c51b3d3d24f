import { keyCommands } from '@workledger/shared/contexts/agent/key/commands.ts';
import type { Commands } from '@workledger/shared/commands/port.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { route, type Route } from '@workledger/shared/http/route.ts';
import type { KeyStore } from '@workledger/shared/security/key-store.ts';
import { z } from 'zod';
import { intention } from './command-route.ts';
import { createKey } from './create-key.ts';
import { commandHeaders } from './headers.ts';
import { rolesOf } from './may-send.ts';
import { created, receipt, receiptReply } from './receipt.ts';

const KEYS = '/api/v1/keys';
const KEY = `${KEYS}/{id}`;

const wishes = keyCommands['key.create'].data.omit({ secretHash: true });
const createdKey = receipt.extend({
  key: z.string().nullable().describe('The API key, told this once; null when a repeat answers the first receipt.'),
  note: z.string(),
});

export type KeyRouteOptions = { readonly commands: Commands; readonly log: EventLog; readonly keys: KeyStore };

/** Creating and revoking API keys. */
export const keyRoutes = (options: KeyRouteOptions): Route[] => [
  route({
    method: 'post',
    path: KEYS,
    role: rolesOf('key.create'),
    summary: 'Create an API key',
    description: 'The key is shown in this answer only; what is kept is a hash. A key of role `agent` needs `agentId`.',
    headers: commandHeaders.omit({ 'if-match': true }),
    body: wishes,
    answers: { 201: { ...created, schema: createdKey } },
    problems: ['unknown-reference', 'idempotency-key-reused', 'unavailable'],
    handler: async (input) => {
      const { answer, key } = await createKey(options, input, input.body, input.headers['idempotency-key']);
      const note =
        key === null
          ? 'This key was created before under the same Idempotency-Key; it cannot be shown again. If it is lost, revoke it.'
          : 'Keep this key: it cannot be shown again.';
      return receiptReply({ ...answer, details: { ...answer.details, key, note } }, `${KEYS}/${answer.id}`);
    },
  }),
  revoking(
    options.keys,
    intention(options.commands, { method: 'delete', path: KEY, type: 'key.revoke', summary: 'Revoke an API key' }),
  ),
];

/** From the answer on every process refuses the key. */
const revoking = (keys: KeyStore, revoke: Route): Route => ({
  ...revoke,
  handle: async (input) => {
    const reply = await revoke.handle(input);
    await keys.forgetEverywhere((input.params as { id: string }).id);
    return reply;
  },
});
