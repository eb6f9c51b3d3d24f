import { webhookCommands } from '@workledger/shared/contexts/sync/webhook/commands.ts';
import type { CommandAnswer, Commands } from '@workledger/shared/commands/port.ts';
import { CommandRefused } from '@workledger/shared/commands/refusal.ts';
import { derivedId, newId } from '@workledger/shared/contexts/stream.ts';
import { Problem } from '@workledger/shared/http/problem.ts';
import { route, type Route } from '@workledger/shared/http/route.ts';
import { z } from 'zod';
import type { WebhookSecrets } from '../processes/webhook-secrets.ts';
import {
  commandHeaders,
  created,
  expectedRevision,
  intention,
  intentionFromPath,
  pathId,
  receipt,
  receiptReply,
} from './command-route.ts';
import { rolesOf } from './may-send.ts';
import { commandIdOf, createdId, knownCaller, sendCommand } from './send-command.ts';

const WEBHOOKS = '/api/v1/webhooks';
const WEBHOOK = `${WEBHOOKS}/{id}`;

const wishes = webhookCommands['webhook.create'].data.omit({ secretId: true });
const rotation = webhookCommands['webhook.rotate-secret'].data.omit({ secretId: true });
const withSecret = receipt.extend({
  secret: z.string().nullable().describe('Signs what is sent; told this once. Null: a repeat, it was told before.'),
});
const BOUNDS = ['out-of-range', 'unknown-repository', 'forbidden'] as const;

/** Subscriptions of other systems to events. */
export const outgoingWebhookRoutes = (commands: Commands, secrets: WebhookSecrets): Route[] => [
  route({
    method: 'post',
    path: WEBHOOKS,
    scoped: true,
    role: rolesOf('webhook.create'),
    summary: 'Send events to another system',
    description:
      'Every event that happens from now on (or after `from`), is within `eventTypes` and `repositories`, and may be read by whoever asks, is ' +
      'sent to the URL as POST, signed as Standard Webhooks has it, at least once. The secret is in this answer only.',
    headers: commandHeaders.omit({ 'if-match': true }),
    body: wishes,
    answers: { 201: { ...created, schema: withSecret } },
    problems: [...BOUNDS, 'already-exists', 'idempotency-key-reused', 'unavailable'],
    handler: async (input) => {
      const key = input.headers['idempotency-key'];
      const request = { type: 'webhook.create', route: `POST ${WEBHOOKS}`, idempotencyKey: key } as const;
      const commandId = commandIdOf(knownCaller(input).actor, { ...request, target: undefined });
      const id = createdId('webhook.create', commandId);
      const { answer, secret } = await withNewSecret(secrets, id, commandId, (secretId) => {
        const target = key === undefined ? id : undefined;
        const data = { ...input.body, secretId };
        return sendCommand(commands, input, { ...request, target, data, expectedRevision: undefined });
      });
      return receiptReply(told(answer, secret), key, `${WEBHOOKS}/${id}`);
    },
  }),
  intention(commands, {
    ...{ method: 'patch', path: WEBHOOK, type: 'webhook.change', problems: BOUNDS },
    summary: 'Change where events are sent, or which',
  }),
  intentionFromPath(commands, {
    ...{ method: 'delete', path: WEBHOOK, type: 'webhook.delete' },
    summary: 'Send nothing more, and forget the secret',
    params: z.strictObject({ id: pathId }),
    data: () => ({}),
  }),
  intention(commands, {
    ...{ method: 'post', path: `${WEBHOOK}/pause`, type: 'webhook.pause' },
    summary: 'Send nothing for now',
  }),
  intention(commands, {
    ...{ method: 'post', path: `${WEBHOOK}/resume`, type: 'webhook.resume' },
    summary: 'Send again',
    description: 'What happened meanwhile is sent, too; with `from`, what happened after that position.',
  }),
  intentionFromPath(commands, {
    ...{ method: 'post', path: `${WEBHOOK}/test`, type: 'webhook.test' },
    summary: 'Send an event that means nothing: `workledger.webhook.WebhookTestAsked`',
    params: z.strictObject({ id: pathId }),
    data: () => ({}),
  }),
  intention(commands, {
    ...{ method: 'post', path: `${WEBHOOK}/redeliver`, type: 'webhook.redeliver' },
    summary: 'Send again what was given up, or one delivery',
    description: 'Under the same `webhook-id` as before. An id that is none of its deliveries changes nothing.',
  }),
  intentionFromPath(commands, {
    ...{ method: 'delete', path: `${WEBHOOK}/deliveries/{deliveryId}`, type: 'webhook.drop-delivery' },
    summary: 'Drop a delivery that was given up',
    description:
      'It is `dropped` then, and not sent with the others when those are sent again. An id that is none of its dead deliveries changes nothing.',
    params: z.strictObject({ id: pathId, deliveryId: pathId }),
    data: ({ deliveryId }) => ({ deliveryId }),
  }),
  route({
    method: 'post',
    path: `${WEBHOOK}/secret`,
    scoped: true,
    role: rolesOf('webhook.rotate-secret'),
    summary: 'Change the secret',
    description: 'Until the end of `oldValidSeconds` both sign, and `webhook-signature` has two signatures.',
    headers: commandHeaders,
    params: z.strictObject({ id: pathId }),
    body: rotation,
    answers: { 200: { description: 'The new secret, told this once.', schema: withSecret } },
    problems: [
      'forbidden',
      'not-found',
      'illegal-transition',
      'idempotency-key-reused',
      'revision-mismatch',
      'unavailable',
    ],
    handler: async (input) => {
      const { id } = input.params;
      const idempotencyKey = input.headers['idempotency-key'];
      const request = {
        type: 'webhook.rotate-secret',
        route: `POST ${WEBHOOK}/secret`,
        target: id,
        idempotencyKey,
      } as const;
      const commandId = commandIdOf(knownCaller(input).actor, request);
      const { answer, secret } = await withNewSecret(secrets, id, commandId, (secretId) =>
        sendCommand(commands, input, {
          ...request,
          data: { ...input.body, secretId },
          expectedRevision: expectedRevision(input.headers['if-match']),
        }),
      );
      return receiptReply(told(answer, secret), idempotencyKey);
    },
  }),
];

/**
 * The secret first, then the event that names it: killed in between, a row is left that signs nothing. The same request names the
 * same row, so that of two at once one is told the secret.
 */
async function withNewSecret<Answer>(
  secrets: WebhookSecrets,
  webhookId: string,
  commandId: string | undefined,
  send: (secretId: string) => Promise<Answer>,
): Promise<{ readonly answer: Answer; readonly secret: string | null }> {
  const secretId = commandId === undefined ? newId() : derivedId('webhook-secret', commandId);
  const secret = await secrets.make(webhookId, secretId);
  try {
    return { answer: await send(secretId), secret };
  } catch (error) {
    if (secret !== null && (error instanceof CommandRefused || error instanceof Problem))
      await secrets.drop(webhookId, secretId).catch(() => undefined);
    throw error;
  }
}

const told = (answer: CommandAnswer, secret: string | null): CommandAnswer => ({ ...answer, details: { secret } });
