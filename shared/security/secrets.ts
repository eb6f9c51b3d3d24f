import type { Pool } from 'pg';
import type { SecretHashOf } from './key-store.ts';

/** How the rows of keys are marked: other secrets of users (passkeys) are of another kind. */
export const KEY_SECRET = 'api-key';

/** Whose a key's secret is, as its row says it. */
export const subjectOfKey = (keyId: string): string => `key:${keyId}`;

/**
 * Reads what `command-service/processes/secrets.ts` writes. The one statement with which services look at secrets of users: where each
 * has a role of its own in the database, the query service's may read this table and no more of it.
 * @returns throws what PostgreSQL throws: that it is away says nothing about a key
 */
export const createSecretHashOf =
  (pool: Pool): SecretHashOf =>
  async (keyId, secretId) => {
    const { rows } = await pool.query<{ hash: string }>(
      'select hash from command_service.secrets where subject = $1 and kind = $2 and id = $3',
      [subjectOfKey(keyId), KEY_SECRET, secretId],
    );
    return rows[0]?.hash ?? null;
  };
