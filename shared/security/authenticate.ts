import { Problem } from '../http/problem.ts';
import { parseApiKey, secretMatches } from './api-key.ts';
import type { KeyStore, StoredKey } from './key-store.ts';
import type { Principal } from '../http/route.ts';

const SCHEME = /^Bearer +(\S+)$/i;
const NO_HASH = '0'.repeat(64);

/**
 * Tells who sends a request by `Authorization: Bearer wl_…`. Absent, malformed, unknown, wrong and revoked keys get the same answer.
 * @throws Problem `unauthenticated`
 */
export const authenticateWith =
  (keys: KeyStore) =>
  (authorization: string | undefined): Principal | Promise<Principal> => {
    const [, token] = SCHEME.exec(authorization ?? '') ?? [];
    if (token === undefined) throw unauthenticated('send "Authorization: Bearer <API key>"', '');
    const parsed = parseApiKey(token);
    if (parsed === null) throw unauthenticated(INVALID, INVALID_TOKEN);
    const found = keys.find(parsed.keyId);
    return found instanceof Promise ? found.then((key) => check(parsed, key)) : check(parsed, found);
  };

function check(
  { keyId, secret }: { readonly keyId: string; readonly secret: string },
  key: StoredKey | null,
): Principal {
  // The hash is compared for an unknown key, too, so that the time tells nothing.
  const matches = secretMatches(secret, key?.secretHash ?? NO_HASH);
  if (key === null || !matches || key.revoked) throw unauthenticated(INVALID, INVALID_TOKEN);
  return principalOf(keyId, key.role, key.agentId);
}

const INVALID = 'the API key is not valid: unknown, wrong or revoked';
const INVALID_TOKEN = ', error="invalid_token"';

const unauthenticated = (detail: string, parameter: string): Problem =>
  new Problem('unauthenticated', detail, { headers: { 'WWW-Authenticate': `Bearer realm="workledger"${parameter}` } });

const principalOf = (keyId: string, role: Principal['role'], agentId: string | null): Principal => ({
  keyId,
  role,
  agentId: role === 'agent' ? agentId : null,
  actor: role === 'agent' && agentId !== null ? `agent:${agentId}` : `key:${keyId}`,
});
