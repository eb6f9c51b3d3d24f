import { Problem } from '@workledger/shared/http/problem.ts';
import { route, type Route } from '@workledger/shared/http/route.ts';
import type { Logger } from '@workledger/shared/telemetry/logger.ts';
import { z } from 'zod';
import type { Provider } from './provider.ts';
import { receiptSchema, receiveDelivery, type ReceivingOptions } from './receive-delivery.ts';

const MAX_BYTES = 5 * 1024 * 1024;

export type WebhookOptions = ReceivingOptions & {
  readonly provider: Provider;
  /** One secret, or two while one replaces the other. None: every delivery is refused. */
  readonly secrets: readonly string[];
  readonly logger: Logger;
};

/** POST /api/v1/webhooks/<provider>. The signature is checked before anything else of the request is looked at. */
export function createWebhookRoute({ provider, secrets, logger, ...options }: WebhookOptions): Route {
  const { name, title, headers: named, mediaTypes, recordedStatus = 202 } = provider;
  const schema = receiptSchema(title);
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
    maxBodyBytes: MAX_BYTES,
    answers:
      recordedStatus === 200
        ? { 200: { description: 'Recorded, now or before: the first receipt.', schema } }
        : {
            200: { description: 'It was here before: the first receipt.', schema },
            202: { description: 'Recorded.', schema },
          },
    problems: ['not-configured', 'bad-signature', 'invalid-request', 'invalid-json', 'unavailable'],
    handler: async ({ headers, bytes, mediaType, correlationId, traceparent }) => {
      if (secrets.length === 0) throw new Problem('not-configured', `no secret is configured for webhooks of ${title}`);
      const request = { headers, bytes, mediaType, receivedAt: new Date() };
      const fault = provider.verify(request, secrets);
      if (fault !== null) {
        const deliveryId = named.delivery && headers[named.delivery.toLowerCase()]?.slice(0, 100);
        logger.warn({ provider: name, deliveryId }, 'bad webhook signature');
        throw new Problem('bad-signature', fault);
      }
      const identity = provider.identify(request);
      if ('answer' in identity) return { json: identity.answer };
      const delivery = { ...identity, request, correlationId, traceparent };
      const { receipt, token, isFirst } = await receiveDelivery(options, provider, delivery);
      return { status: isFirst ? recordedStatus : 200, headers: { 'Consistency-Token': token }, json: receipt };
    },
  });
}
