import { createHmac, randomBytes } from 'node:crypto';
import type { Pool } from 'pg';

const SECRET_BYTES = 32;
const PREFIX = 'whsec_';

/** A secret as Standard Webhooks has it: `whsec_` and base64. Source: https://www.standardwebhooks.com, specification 1.0 */
export const newWebhookSecret = (): string => `${PREFIX}${randomBytes(SECRET_BYTES).toString('base64')}`;

export type Signed = { readonly id: string; readonly timestamp: number; readonly body: string };

/** The value of `webhook-signature`: one signature a secret, separated by spaces. @param timestamp seconds since 1970 */
export const webhookSignature = (secrets: readonly string[], { id, timestamp, body }: Signed): string =>
  secrets
    .map((secret) => {
      const key = Buffer.from(secret.slice(PREFIX.length), 'base64');
      return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
    })
    .join(' ');

/** Of the table that command-service writes and sagas read. */
export const webhookSecretsSql = `
  create table command_service.webhook_secrets (
    webhook_id text not null,
    id         text not null,
    secret     text not null,
    created_at timestamptz not null default clock_timestamp(),
    primary key (webhook_id, id)
  )`;

/** Reads what `command-service/processes/webhook-secrets.ts` writes, in the order of the ids. */
export async function webhookSecretsOf(
  pool: Pool,
  webhookId: string,
  secretIds: readonly string[],
): Promise<readonly string[]> {
  const { rows } = await pool.query<{ id: string; secret: string }>(
    'select id, secret from command_service.webhook_secrets where webhook_id = $1 and id = any ($2)',
    [webhookId, secretIds],
  );
  const byId = new Map(rows.map(({ id, secret }) => [id, secret]));
  return secretIds.flatMap((id) => byId.get(id) ?? []);
}
