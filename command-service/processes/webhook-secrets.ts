import type { Migration } from '@workledger/shared/migrations/migrate.ts';
import { newWebhookSecret, webhookSecretsSql } from '@workledger/shared/security/webhook-secrets.ts';
import type { Pool } from 'pg';

/** Secrets that webhooks are signed with, outside the log: what is there can be removed. */
export type WebhookSecrets = {
  /** Makes one, before there is an event that names it. @returns null when it was made before: it is told once */
  make(webhookId: string, secretId: string): Promise<string | null>;
  /** Removes one that no event names. */
  drop(webhookId: string, secretId: string): Promise<void>;
  /** Removes all of a webhook but these. */
  keepOnly(webhookId: string, secretIds: readonly string[]): Promise<void>;
};

export const createWebhookSecrets = (pool: Pool): WebhookSecrets => ({
  make: async (webhookId, secretId) => {
    const secret = newWebhookSecret();
    const { rowCount } = await pool.query(
      'insert into command_service.webhook_secrets (webhook_id, id, secret) values ($1, $2, $3) on conflict do nothing',
      [webhookId, secretId, secret],
    );
    return rowCount === 1 ? secret : null;
  },
  drop: async (webhookId, secretId) => {
    await pool.query('delete from command_service.webhook_secrets where webhook_id = $1 and id = $2', [
      ...[webhookId, secretId],
    ]);
  },
  keepOnly: async (webhookId, secretIds) => {
    await pool.query('delete from command_service.webhook_secrets where webhook_id = $1 and id <> all ($2)', [
      ...[webhookId, secretIds],
    ]);
  },
});

export const webhookSecretsTable: Migration = {
  name: '0093-webhook-secrets',
  up: async (knex) => {
    await knex.raw(webhookSecretsSql);
  },
};
