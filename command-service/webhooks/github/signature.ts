import { createHmac, timingSafeEqual } from 'node:crypto';

const FORM = /^sha256=([0-9a-f]{64})$/;

/**
 * Whether `X-Hub-Signature-256` signs these very bytes with one of the secrets (two while one is replaced by the next). In constant
 * time; false without a secret. Source: https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries
 */
export function signatureMatches(body: Uint8Array, header: string | undefined, secrets: readonly string[]): boolean {
  const given = Buffer.from(FORM.exec(header ?? '')?.[1] ?? '', 'hex');
  let matches = false;
  for (const secret of secrets) {
    if (secret === '') continue;
    const expected = createHmac('sha256', secret).update(body).digest();
    // Every secret is tried, whether an earlier one matched or not.
    if (given.length === expected.length && timingSafeEqual(given, expected)) matches = true;
  }
  return matches;
}
