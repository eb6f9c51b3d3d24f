import { canonicalJson } from '@workledger/shared/aggregate/canonical-json.ts';
import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer, Commands } from '@workledger/shared/commands/port.ts';
import { CommandRefused } from '@workledger/shared/commands/refusal.ts';
import { keyCommands } from '@workledger/shared/contexts/agent/key/commands.ts';
import type { KeyEvent } from '@workledger/shared/contexts/agent/key/events.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { upcast } from '@workledger/shared/events/codec.ts';
import { Problem } from '@workledger/shared/http/problem.ts';
import { route, type Route } from '@workledger/shared/http/route.ts';
import { newApiKey } from '@workledger/shared/security/api-key.ts';
import { isDeregistered, type KeyStore } from '@workledger/shared/security/key-store.ts';
import { z } from 'zod';
import type { Secrets } from '../processes/secrets.ts';
import { commandHeaders, created, intention, receipt, receiptReply } from './command-route.ts';
import { rolesOf } from './may-send.ts';
import { commandIdOf, createdId, knownCaller, sendCommand, type Caller } from './send-command.ts';

const KEYS = '/api/v1/keys';
const KEY = `${KEYS}/{id}`;

const wishes = keyCommands['key.create'].data.omit({ secretHash: true, secretId: true, macKey: true });
const createdKey = receipt.extend({
  key: z.string().nullable().describe('The API key, told this once; null when a repeat answers the first receipt.'),
  note: z.string(),
});

export type KeyRouteOptions = {
  readonly commands: Commands;
  readonly log: EventLog;
  readonly keys: KeyStore;
  readonly secrets: Secrets;
};

/** Creating and revoking API keys. */
export const keyRoutes = (options: KeyRouteOptions): Route[] => [
  route({
    method: 'post',
    path: KEYS,
    role: rolesOf('key.create'),
    summary: 'Create an API key',
    description:
      'The key is shown in this answer only; what is kept is a hash. A key of role `agent` needs `agentId`. With `userId` it is a ' +
      "person's, and may what its role and theirs both allow, as of each request. With `expiresAt` it ends by itself; " +
      'with `repositories` it reads and changes tasks of these only, and all that hangs together with them: others are not there for it.',
    headers: commandHeaders.omit({ 'if-match': true }),
    body: wishes,
    answers: { 201: { ...created, schema: createdKey } },
    problems: ['unknown-reference', 'unknown-repository', 'out-of-range', 'idempotency-key-reused', 'unavailable'],
    handler: async (input) => {
      const { answer, key } = await createKey(options, input, input.body, input.headers['idempotency-key']);
      const note =
        key === null
          ? 'This key was created before under the same Idempotency-Key; it cannot be shown again. If it is lost, revoke it.'
          : 'Keep this key: it cannot be shown again.';
      const told = { ...answer, details: { ...answer.details, key, note } };
      return receiptReply(told, input.headers['idempotency-key'], `${KEYS}/${answer.id}`);
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

export type KeyWishes = Omit<CommandData<'key.create'>, 'secretHash' | 'secretId' | 'macKey'>;
export type CreatedKey = { readonly answer: CommandAnswer; readonly key: string | null };

const ROUTE = 'POST /api/v1/keys';

/**
 * Creates an API key. Its secret exists in this answer only: a repeat under the same idempotency key answers the same receipt
 * with `key: null`.
 * @throws Problem, CommandRefused
 */
async function createKey(
  { commands, log, keys, secrets }: KeyRouteOptions,
  caller: Caller,
  wishes: KeyWishes,
  idempotencyKey: string | undefined,
): Promise<CreatedKey> {
  if (wishes.agentId !== null) await demandAgent(log, wishes.agentId);
  const request = { type: 'key.create', route: ROUTE, target: undefined, idempotencyKey } as const;
  const keyId = createdId('key.create', commandIdOf(knownCaller(caller).actor, request));
  const repeat = await repeated(log, keyId, wishes);
  if (repeat !== null) return repeat;

  const { key, secretHash, macKey } = newApiKey(keyId, keys.macs);
  // Without an idempotency key the id is random: it must be the one that the key names.
  const target = idempotencyKey === undefined ? keyId : undefined;
  const secretId = isNobodys(wishes) ? null : newId();
  if (secretId !== null) await secrets.keep(keyId, secretId, secretHash);
  try {
    const data = { ...wishes, ...(secretId === null ? { secretHash } : { secretId }), macKey };
    return {
      answer: await sendCommand(commands, caller, { ...request, target, data, expectedRevision: undefined }),
      key,
    };
  } catch (error) {
    if (secretId !== null && (error instanceof CommandRefused || error instanceof Problem))
      // No event names it: what is left of it when this fails opens nothing.
      await secrets.drop(keyId, secretId).catch(() => undefined);
    // Two at once under one idempotency key: the other one's secret counts.
    const other = error instanceof CommandRefused ? await repeated(log, keyId, wishes) : null;
    if (other === null) throw error;
    return other;
  }
}

const isNobodys = ({ userId }: KeyWishes): boolean => userId === null || userId === undefined;

/** The receipt of the key that exists already; null when there is none. @throws Problem when it was made from other wishes */
async function repeated(log: EventLog, keyId: string, wishes: KeyWishes): Promise<CreatedKey | null> {
  const stream = streamName('key', keyId);
  for await (const recorded of log.readStream(stream, { limit: 1 })) {
    const event = upcast(recorded) as KeyEvent;
    const isSame =
      event.type === 'KeyCreated' &&
      event.data.name === wishes.name &&
      event.data.role === wishes.role &&
      event.data.agentId === wishes.agentId &&
      (event.data.userId ?? null) === (wishes.userId ?? null) &&
      (event.data.expiresAt ?? null) === (wishes.expiresAt ?? null) &&
      canonicalJson(event.data.repositories ?? null) === canonicalJson(wishes.repositories ?? null);
    if (!isSame)
      throw new Problem('idempotency-key-reused', 'this Idempotency-Key was used for another request: use a new one');
    return { answer: { id: keyId, stream, revision: 0, token: `${stream}@0`, details: {} }, key: null };
  }
  return null;
}

async function demandAgent(log: EventLog, agentId: string): Promise<void> {
  for await (const _ of log.readStream(streamName('agent', agentId), { limit: 1 })) {
    if (!(await isDeregistered(log, agentId))) return;
    throw new Problem('unknown-reference', `agent ${agentId} is deregistered: register it again`, {
      errors: [{ path: 'body.agentId', message: 'deregistered' }],
    });
  }
  throw new Problem('unknown-reference', `there is no agent ${agentId}`, {
    errors: [{ path: 'body.agentId', message: 'no such agent' }],
  });
}
