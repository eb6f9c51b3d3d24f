import type { KeyEvent } from '@workledger/shared/contexts/agent/key/events.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import { keyModel, type KeyRow } from '@workledger/shared/contexts/agent/key/row.ts';
import { defineProjection, existing, type Recorded } from '../engine/projection.ts';
import { keysMigrations } from './migration.ts';

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
