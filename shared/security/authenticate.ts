import { commonRole } from '../contexts/agent/user/state.ts';
import { Problem } from '../http/problem.ts';
import type { Peer, Principal } from '../http/route.ts';
import type { Logger } from '../telemetry/logger.ts';
import { parseApiKey, secretMatches, type ParsedApiKey } from './api-key.ts';
import { createFailedAttempts, type FailedAttempts } from './failed-attempts.ts';
import type { KeyStore, StoredKey } from './key-store.ts';
import { createAddressOf } from './peer.ts';

const SCHEME = /^Bearer +(\S+)$/i;
const NO_HASH = '0'.repeat(64);

export type AuthenticateOptions = {
  /** Told of each failed attempt: from where, and of which key. Default: nobody. */
  readonly logger?: Pick<Logger, 'warn'>;
  /** Addresses and networks of proxies whose X-Forwarded-For is believed; default: none. */
  readonly trustedProxies?: readonly string[];
  readonly failures?: FailedAttempts;
  /** Milliseconds since 1970, for expiry; default: this process's clock. */
  readonly now?: () => number;
};

/** Why a key was not let in: for the log, never for who sent it. */
type Fault =
  | 'no key'
  | 'another MAC'
  | 'unknown'
  | 'no secret'
  | 'another secret'
  | 'revoked'
  | 'expired'
  | 'deregistered agent';

/**
 * Tells who sends a request by `Authorization: Bearer wl_…`. Absent, malformed, unknown, wrong and revoked keys get the same answer.
 * A key with a MAC is looked up only if this system made it: what is made up costs neither a read of the log nor a place in memory.
 * Of an address that failed too often the next failures are answered 429; a key that is valid is let in all the same, but for one
 * without a MAC that was not seen here before.
 * @throws Problem `unauthenticated`, `key-expired`, `user-suspended`, `too-many-failed-attempts`
 */
export function authenticateWith(keys: KeyStore, options: AuthenticateOptions = {}) {
  const { logger, trustedProxies, failures = createFailedAttempts(), now = Date.now } = options;
  const addressOf = createAddressOf(trustedProxies);

  const fail = (address: string, keyId: string | null, fault: Fault): never => {
    const wait = failures.secondsToWait(address);
    if (wait > 0) throw tooMany(wait);
    const failed = failures.count(address);
    const isLast = failures.secondsToWait(address) > 0;
    logger?.warn(
      { address, keyId, fault, failed },
      isLast
        ? 'authentication failed, too often: until the minute is over no more of this address is told'
        : 'authentication failed',
    );
    throw fault === 'expired' ? expired() : unauthenticated(INVALID, INVALID_TOKEN);
  };

  const check = (address: string, { keyId, secret, mac }: ParsedApiKey, key: StoredKey | null): Principal => {
    // The hash is compared for an unknown key, too, so that the time tells nothing.
    const matches = secretMatches(secret, key?.secretHash ?? NO_HASH);
    if (key === null) return fail(address, keyId, 'unknown');
    if (key.secretHash === null) return fail(address, keyId, key.revoked ? 'revoked' : 'no secret');
    if (!matches) return fail(address, keyId, 'another secret');
    // Cut off, or made under a MAC key that is gone: without it the key is not what was made.
    if (key.hasMac && mac === null) return fail(address, keyId, 'another MAC');
    if (key.revoked) return fail(address, keyId, 'revoked');
    if (key.agentIsGone) return fail(address, keyId, 'deregistered agent');
    if (key.expiresAt !== null && now() >= Date.parse(key.expiresAt)) return fail(address, keyId, 'expired');
    // Who it is, is proven: nothing was tried out, and nothing is counted.
    if (key.user !== null && key.user.state !== 'active') throw suspended();
    return principalOf(keyId, key);
  };

  /** Counted while it lasts: many at once are no way around the limit. */
  const lookUpUnproven = async (address: string, parsed: ParsedApiKey): Promise<Principal> => {
    const wait = failures.secondsToWait(address);
    if (wait > 0) throw tooMany(wait);
    failures.count(address);
    const key = await Promise.resolve(keys.find(parsed.keyId)).finally(() => failures.takeBack(address));
    return check(address, parsed, key);
  };

  return (authorization: string | undefined, peer: Peer = NOWHERE): Principal | Promise<Principal> => {
    const [, token] = SCHEME.exec(authorization ?? '') ?? [];
    if (token === undefined) throw unauthenticated('send "Authorization: Bearer <API key>"', '');
    const address = addressOf(peer);
    const parsed = parseApiKey(token);
    if (parsed === null) return fail(address, null, 'no key');
    const { keyId, signed, mac } = parsed;
    if (mac !== null && keys.macs.madeUnder(signed, mac) === null) return fail(address, keyId, 'another MAC');
    if (mac === null && !keys.knows(keyId)) return lookUpUnproven(address, parsed);
    const found = keys.find(keyId);
    return found instanceof Promise ? found.then((key) => check(address, parsed, key)) : check(address, parsed, found);
  };
}

const NOWHERE: Peer = { address: '', forwardedFor: undefined };

const INVALID = 'the API key is not valid: unknown, wrong or revoked';
const INVALID_TOKEN = ', error="invalid_token"';

const challenge = (parameter: string) => ({
  headers: { 'WWW-Authenticate': `Bearer realm="workledger"${parameter}` },
});

const unauthenticated = (detail: string, parameter: string): Problem =>
  new Problem('unauthenticated', detail, challenge(parameter));

const expired = (): Problem =>
  new Problem('key-expired', 'the API key has expired: ask an administrator for a new one', challenge(INVALID_TOKEN));

const suspended = (): Problem =>
  new Problem('user-suspended', 'the user whose API key this is was suspended: ask an administrator');

const tooMany = (seconds: number): Problem =>
  new Problem('too-many-failed-attempts', 'too many API keys of your address were not valid: wait', {
    headers: { 'Retry-After': String(seconds) },
  });

const principalOf = (keyId: string, key: StoredKey): Principal => {
  const { role, agentId, userId, user, repositories } = key;
  if (userId !== null && user !== null) {
    const { role: ofUser, teams } = user;
    // Never a service's key: none is anybody's.
    const common = role === 'service' ? 'viewer' : commonRole(ofUser, role);
    return { keyId, role: common, agentId: null, repositories, teams, actor: `user:${userId}` };
  }
  const speaksFor = role === 'agent' ? agentId : null;
  const actor = speaksFor === null ? `key:${keyId}` : `agent:${speaksFor}`;
  return { keyId, role, agentId: speaksFor, repositories, teams: [], actor };
};
