import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { ProviderName } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { foreignText } from '@workledger/shared/contexts/text.ts';
import { Problem } from '@workledger/shared/http/problem.ts';
import { z } from 'zod';
import type { Signal } from '../domain/signal.ts';

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
export type Identity = {
  readonly event: string;
  readonly deliveryId: string;
  /** When the provider says that it sent this, or the first copy of it: ISO 8601 in UTC. */
  readonly sentAt?: string;
};

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
  /** Bytes of its largest delivery. Default: 5 MiB; those that are larger are held in memory a few at a time. */
  readonly maxBytes?: number;
  /** How a delivery is answered that was recorded just now, where 202 will not do; what was here before is answered 200. */
  readonly recordedStatus?: 200;
  /** For how long the provider waits for an answer, less what the way takes. Default: 9 s. */
  readonly answerMilliseconds?: number;
  /**
   * Which repository a request says that it is about, for where repositories have secrets of their own: it chooses the secret, no
   * more, since nothing is verified yet. From the nearest to the widest, where a place lies in others; none where it cannot be told.
   */
  claimedRepositories?(request: ProviderRequest): readonly string[];
  /**
   * Why the request cannot be the provider's own, as it is told to the caller; null: one of the secrets (two while one replaces the other) signs it, and it is fresh.
   * @param maxAgeSeconds as it is configured, where the provider has such a field
   */
  verify(request: ProviderRequest, secrets: readonly string[], maxAgeSeconds?: number): string | null;
  /**
   * Looks at no more than is needed to tell deliveries apart; `answer` is for what is none, but is to be answered at once (a challenge): nothing of it is recorded.
   * @throws Problem when the request is no delivery
   */
  identify(request: ProviderRequest): Identity | { readonly answer: Readonly<Record<string, unknown>> };
  /** @throws Problem when the body is not what the provider sends */
  read(event: string, request: ProviderRequest): Signal;
  /** What the provider wants to hear of a delivery that was recorded, where it is not the receipt; null: nothing but the status. */
  readonly reply?: {
    readonly schema: z.ZodType;
    of(
      event: string,
      told: { readonly taskId: string } | { readonly reason: string },
    ): Readonly<Record<string, unknown>> | null;
  };
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

/** What is not what the provider documents counts as not said: a delivery that it signed is recorded whatever it holds. */
export const lenient = <Schema extends z.ZodType>(schema: Schema) => schema.nullish().catch(null);
/** Text that others wrote, kept whatever it holds. @param max UTF-16 units */
export const words = (max: number) => lenient(z.string().transform((value) => foreignText(value, max)));

/** A name for a delivery that has none of its own: what it holds. */
export const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** @throws Problem `invalid-json` */
export function readJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new Problem('invalid-json', 'the body is not valid JSON in UTF-8');
  }
}

/** Forms, in which some send JSON: as the field `payload`. */
export const FORM = 'application/x-www-form-urlencoded';
