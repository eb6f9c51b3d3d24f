import { Problem } from '@workledger/shared/http/problem.ts';
import { parsePart } from '@workledger/shared/http/parse.ts';
import { route, type Route } from '@workledger/shared/http/route.ts';
import type { Logger } from '@workledger/shared/telemetry/logger.ts';
import { z } from 'zod';
import { receiptSchema } from './receipt.ts';
import { receiveDelivery, type ReceivingOptions } from './receive-delivery.ts';
import { signatureMatches } from './signature.ts';

const MAX_BYTES = 5 * 1024 * 1024;

const givenHeaders = z.object({
  'x-hub-signature-256': z.string().optional(),
  'x-github-event': z.string().optional(),
  'x-github-delivery': z.string().optional(),
});
const neededHeaders = z.object({
  'x-github-event': z.string().regex(/^[a-z][a-z_]{0,99}$/, 'the name of an event'),
  'x-github-delivery': z.string().regex(/^[A-Za-z0-9-]{1,100}$/, 'the id of a delivery'),
});

export type GithubWebhookOptions = ReceivingOptions & {
  /** One secret, or two while one replaces the other. None: every delivery is refused. */
  readonly secrets: readonly string[];
  readonly logger: Logger;
};

/** POST /api/v1/webhooks/github. The signature is checked before anything else of the request is looked at. */
export const createGithubWebhookRoute = ({ secrets, logger, ...options }: GithubWebhookOptions): Route =>
  route({
    method: 'post',
    path: '/api/v1/webhooks/github',
    role: 'public',
    summary: 'Receive a delivery of a GitHub webhook',
    description:
      'No API key: the body is signed (X-Hub-Signature-256). A delivery that is sent again gets its first receipt.',
    headers: givenHeaders,
    raw: { mediaTypes: ['application/json'] },
    maxBodyBytes: MAX_BYTES,
    answers: {
      200: { description: 'It was here before: the first receipt.', schema: receiptSchema },
      202: { description: 'Recorded.', schema: receiptSchema },
    },
    problems: ['not-configured', 'bad-signature', 'invalid-request', 'invalid-json', 'unavailable'],
    handler: async ({ headers, bytes, correlationId, traceparent }) => {
      if (secrets.length === 0) throw new Problem('not-configured', 'no secret is configured for webhooks of GitHub');
      if (!signatureMatches(bytes, headers['x-hub-signature-256'], secrets)) {
        logger.warn(
          { provider: 'github', deliveryId: headers['x-github-delivery']?.slice(0, 100) },
          'bad webhook signature',
        );
        throw new Problem('bad-signature', 'X-Hub-Signature-256 does not sign this body');
      }
      const needed = parsePart(neededHeaders, headers, 'headers');
      const { receipt, token, isFirst } = await receiveDelivery(options, {
        event: needed['x-github-event'],
        deliveryId: needed['x-github-delivery'].toLowerCase(),
        body: bytes,
        correlationId,
        traceparent,
      });
      return { status: isFirst ? 202 : 200, headers: { 'Consistency-Token': token }, json: receipt };
    },
  });
