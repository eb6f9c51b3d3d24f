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

const keysMigrations: readonly Migration[] = [v1];

/** Without the hash of the secret: nobody who reads needs it. */
export const keys = defineProjection<KeyRow, Recorded<KeyEvent>>(keyModel, {
  migrations: keysMigrations,
  key: ({ stream }) => [streamId(stream)],
  fold: (row, event) => {
    const at = event.recordedAt.toISOString();
    switch (event.type) {
      case 'KeyCreated': {
        const { name, role, agentId } = event.data;
        const created = { name, role, agentId, createdAt: at, revokedAt: null, reason: null };
        return { id: streamId(event.stream), revision: event.revision, ...created };
      }
      case 'KeyRevoked':
        return { ...existing(row, event), revision: event.revision, revokedAt: at, reason: event.data.reason };
    }
  },
});
