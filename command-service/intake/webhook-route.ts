import { same } from '@workledger/shared/contexts/sync/delivery/trusted.ts';
import { Problem } from '@workledger/shared/http/problem.ts';
import { route, type Route } from '@workledger/shared/http/route.ts';
import { TooLate, withDeadline } from '@workledger/shared/resilience/with-deadline.ts';
import type { Logger } from '@workledger/shared/telemetry/logger.ts';
import { z } from 'zod';
import type { RoutingRules } from '../domain/signal.ts';
import type { Provider, ProviderRequest } from './provider.ts';
import { receiptSchema, receiveDelivery, type Receipt, type ReceivingOptions } from './receive.ts';

const MAX_BYTES = 5 * 1024 * 1024;
/**
 * Providers wait for so long and no longer (GitHub: 10 s), where they do not say otherwise. What was begun goes on; the delivery that comes again finds it by its id.
 * Source: https://docs.github.com/en/webhooks/using-webhooks/best-practices-for-using-webhooks
 */
const RECEIPT_MILLISECONDS = 9_000;

const notYet = (cause: Error): Problem =>
  new Problem('unavailable', 'a store is slow: the delivery may not be recorded yet; send it again', {
    cause,
    headers: { 'Retry-After': '1' },
  });

export type WebhookOptions = ReceivingOptions & {
  readonly provider: Provider;
  /** One secret, or two while one replaces the other. None: every delivery is refused. */
  readonly secrets: readonly string[];
  /** By repository, in lower case as the provider names it: its deliveries are verified with these alone. */
  readonly repositorySecrets?: ReadonlyMap<string, readonly string[]>;
  /** How old a delivery may be, where the provider tells when it sent it; default: the provider's own. */
  readonly maxAgeSeconds?: number | undefined;
  readonly logger: Logger;
};

/**
 * POST /api/v1/webhooks/<provider>. The signature is checked before anything else of the request is looked at, but for the name of
 * its repository where some have secrets of their own: it chooses the secret, and the answer does not tell which was chosen.
 */
export function createWebhookRoute({
  provider,
  secrets,
  repositorySecrets = new Map(),
  maxAgeSeconds,
  logger,
  ...options
}: WebhookOptions): Route {
  const { name, title, headers: named, mediaTypes, maxBytes = MAX_BYTES, recordedStatus = 202, reply } = provider;
  const { answerMilliseconds = RECEIPT_MILLISECONDS } = provider;
  const schema = reply?.schema ?? receiptSchema(title);
  return route({
    method: 'post',
    path: `/api/v1/webhooks/${name}`,
    role: 'public',
    summary: `Receive a delivery of a ${title} webhook`,
    description: `No API key: the body is signed (${named.signature}). A delivery that is sent again gets its first receipt.`,
    headers: z.object(
      Object.fromEntries(Object.values(named).map((header) => [header.toLowerCase(), z.string().optional()])),
    ),
    raw: { mediaTypes },
    maxBodyBytes: maxBytes,
    ...(maxBytes > MAX_BYTES && { largeBodyBytes: MAX_BYTES }),
    answers:
      recordedStatus === 200
        ? { 200: { description: 'Recorded, now or before: the first receipt.', schema } }
        : {
            200: { description: 'It was here before: the first receipt.', schema },
            202: { description: 'Recorded.', schema },
          },
    problems: ['not-configured', 'bad-signature', 'invalid-request', 'invalid-json', 'unavailable'],
    handler: async ({ headers, bytes, mediaType, correlationId, traceparent }) => {
      if (secrets.length === 0 && repositorySecrets.size === 0)
        throw new Problem('not-configured', `no secret is configured for webhooks of ${title}`);
      const request = { headers, bytes, mediaType, receivedAt: new Date() };
      const claimed = repositorySecrets.size === 0 ? null : claimedOf(provider, request, options.rules);
      const own = repositorySecrets.get(claimed?.toLowerCase() ?? '');
      const fault = provider.verify(request, own ?? secrets, maxAgeSeconds);
      if (fault !== null) {
        const deliveryId = named.delivery && headers[named.delivery.toLowerCase()]?.slice(0, 100);
        logger.warn({ provider: name, deliveryId }, 'bad webhook signature');
        throw new Problem('bad-signature', fault);
      }
      const identity = provider.identify(request);
      if ('answer' in identity) return { json: identity.answer };
      const delivery = { ...identity, request, correlationId, traceparent };
      const received = receiveDelivery(options, provider, delivery);
      const { receipt, token, isFirst, judgedAt } = await withDeadline(received, answerMilliseconds, 'recording').catch(
        (error: unknown) => {
          throw error instanceof TooLate ? notYet(error) : error;
        },
      );
      const status = isFirst ? recordedStatus : 200;
      const head = { status, headers: { 'Consistency-Token': token } };
      if (reply === undefined)
        return { ...head, json: isFirst ? receipt : { ...receipt, ...redelivered(receipt, judgedAt) } };
      const { taskId, reason = '' } = receipt;
      const told = reply.of(identity.event, taskId === undefined ? { reason } : { taskId });
      return told === null ? { ...head, bytes: new Uint8Array(), mediaType: 'text/plain' } : { ...head, json: told };
    },
  });
}

/** What is registered of what a request says that it is about: its secret is that of whom it leads to. */
function claimedOf({ name, claimedRepositories }: Provider, request: ProviderRequest, { repositories }: RoutingRules) {
  const claims = claimedRepositories?.(request) ?? [];
  return claims.find((claim) => repositories.some((own) => same(own[name], claim))) ?? claims[0];
}

/** What was judged stands, whatever the rules say by now: nobody starts work by sending old words again. */
const redelivered = ({ outcome, taskId }: Receipt, judgedAt: Date): Partial<Receipt> => ({
  redelivery: true,
  judgedAt: judgedAt.toISOString(),
  next:
    outcome === 'routed' && taskId !== undefined
      ? `see GET /api/v1/tasks/${taskId}; what has ended is started again by POST /api/v1/tasks/${taskId}/retry`
      : 'a delivery is judged once: take the label from the issue and add it again, or POST /api/v1/tasks',
});
