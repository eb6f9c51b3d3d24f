import type { KeyEvent } from '@workledger/shared/contexts/agent/key/events.ts';
import { keyModel, type KeyRow } from '@workledger/shared/contexts/agent/key/row.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import type { Migration } from '@workledger/shared/migrations/migrate.ts';
import { defineProjection, existing, type Recorded } from '../engine/projection.ts';

const v1: Migration = {
  name: '0010-keys-v1',
  up: async (knex) => {
    await knex.raw(`
      create table read_models.keys_v1 (
        id text primary key,
        revision integer not null,
        name text not null,
        role text not null,
        agent_id text,
        created_at timestamptz not null,
        revoked_at timestamptz,
        reason text
      );

      create view read_models.keys as select * from read_models.keys_v1;
    `);
  },
};

/** Keys of before have none of it. The index is for what follows from an agent's end. */
const limits: Migration = {
  name: '0015-keys-limits',
  up: async (knex) => {
    await knex.raw(`
      alter table read_models.keys_v1
        add column expires_at timestamptz,
        add column repositories text[],
        add column mac_key text;
      create index keys_v1_agent on read_models.keys_v1 (agent_id) where agent_id is not null and revoked_at is null;
      create or replace view read_models.keys as select * from read_models.keys_v1;
    `);
  },
};

const owners: Migration = {
  name: '0044-keys-of-users',
  up: async (knex) => {
    await knex.raw(`
      alter table read_models.keys_v1 add column user_id text;
      create or replace view read_models.keys as select * from read_models.keys_v1;
    `);
  },
};

const keysMigrations: readonly Migration[] = [v1, limits, owners];

/** Without the hash of the secret: nobody who reads needs it. */
export const keys = defineProjection<KeyRow, Recorded<KeyEvent>>(keyModel, {
  migrations: keysMigrations,
  key: ({ stream }) => [streamId(stream)],
  fold: (row, event) => {
    const at = event.recordedAt.toISOString();
    switch (event.type) {
      case 'KeyCreated': {
        const { name, role, agentId, userId = null, expiresAt = null, repositories = null, macKey = null } = event.data;
        const created = { name, role, agentId, createdAt: at, revokedAt: null, reason: null };
        const limits = { expiresAt, repositories, macKey, userId };
        return { id: streamId(event.stream), revision: event.revision, ...created, ...limits };
      }
      case 'KeyRevoked':
        return { ...existing(row, event), revision: event.revision, revokedAt: at, reason: event.data.reason };
    }
  },
});
