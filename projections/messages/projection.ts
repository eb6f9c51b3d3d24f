import { addressOf, type MessageEvent } from '@workledger/shared/contexts/agent/message/events.ts';
import { messageModel, type MessageRow } from '@workledger/shared/contexts/agent/message/row.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import { defineProjection, type Recorded } from '../engine/projection.ts';
import { messagesMigrations } from './migration.ts';

/** A row a message. One that was forgotten stays so: what is confirmed of it later changes nothing. */
export const messages = defineProjection<MessageRow, Recorded<MessageEvent>>(messageModel, {
  migrations: messagesMigrations,
  key: ({ stream }) => [streamId(stream)],
  fold: (row, event, id) => {
    const { revision, position } = event;
    const at = event.recordedAt.toISOString();
    switch (event.type) {
      case 'MessageSent': {
        const { from: sender, to, ...words } = event.data;
        const sent = { sender, address: addressOf(to), ...words, sentAt: at };
        return { id, revision, position: String(position), ...sent, deliveredAt: null, readAt: null };
      }
      case 'MessageDelivered':
        return row && { ...row, revision, deliveredAt: at };
      case 'MessageRead':
        return row && { ...row, revision, deliveredAt: row.deliveredAt ?? at, readAt: at };
    }
  },
});
