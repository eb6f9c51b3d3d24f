import { createHmac, timingSafeEqual } from 'node:crypto';
import type { ProviderName } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { Problem } from '@workledger/shared/http/problem.ts';
import type { Signal } from '../domain/delivery.ts';

/** A request as it came to a provider's address: nothing of it is to be believed before `verify`. */
export type ProviderRequest = {
  /** Those that the provider names, by lower-case name. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly bytes: Uint8Array;
  /** One of the provider's own. */
  readonly mediaType: string;
  readonly receivedAt: Date;
};

/** Which delivery it is: a copy that is sent again has the same `deliveryId`, whatever else of it has changed. */
export type Identity = { readonly event: string; readonly deliveryId: string };

/** Somebody who sends webhooks: how its deliveries are verified and told apart, and what they say. Pure. */
export type Provider = {
  readonly name: ProviderName;
  /** Its name as people write it. */
  readonly title: string;
  /** The headers that it is known by, as it writes them: where the signature stands, and what else it tells there. */
  readonly headers: {
    readonly signature: string;
    readonly event?: string;
    readonly delivery?: string;
    readonly timestamp?: string;
  };
  readonly mediaTypes: readonly [string, ...string[]];
  /** How a delivery is answered that was recorded just now, where 202 will not do; what was here before is answered 200. */
  readonly recordedStatus?: 200;
  /**
   * Which repository a request says that it is about, for where repositories have secrets of their own: it chooses the secret, no
   * more, since nothing is verified yet. Null where it cannot be told.
   */
  claimedRepository?(request: ProviderRequest): string | null;
  /** Why the request cannot be the provider's own, as it is told to the caller; null: one of the secrets (two while one replaces the other) signs it, and it is fresh. */
  verify(request: ProviderRequest, secrets: readonly string[]): string | null;
  /**
   * Looks at no more than is needed to tell deliveries apart; `answer` is for what is none, but is to be answered at once (a challenge): nothing of it is recorded.
   * @throws Problem when the request is no delivery
   */
  identify(request: ProviderRequest): Identity | { readonly answer: Readonly<Record<string, unknown>> };
  /** @throws Problem when the body is not what the provider sends */
  read(event: string, request: ProviderRequest): Signal;
};

/**
 * Whether a hexadecimal HMAC-SHA256 signs these parts, one after the other, with one of the secrets. In constant time; false
 * without a secret.
 */
export function isSigned(
  parts: readonly (string | Uint8Array)[],
  hex: string | undefined,
  secrets: readonly string[],
): boolean {
  const given = Buffer.from(/^[0-9a-f]{64}$/.test(hex ?? '') ? (hex ?? '') : '', 'hex');
  let matches = false;
  for (const secret of secrets) {
    if (secret === '') continue;
    const hmac = createHmac('sha256', secret);
    for (const part of parts) hmac.update(part);
    const expected = hmac.digest();
    // Every secret is tried, whether an earlier one matched or not.
    if (given.length === expected.length && timingSafeEqual(given, expected)) matches = true;
  }
  return matches;
}

/** @throws Problem `invalid-json` */
export function readJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new Problem('invalid-json', 'the body is not valid JSON in UTF-8');
  }
}
