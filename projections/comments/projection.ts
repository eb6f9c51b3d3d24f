import { streamId } from '@workledger/shared/contexts/stream.ts';
import type { CommentEvent } from '@workledger/shared/contexts/task/comment/events.ts';
import { commentModel, type CommentRow } from '@workledger/shared/contexts/task/comment/row.ts';
import { defineProjection, existing, type Recorded } from '../engine/projection.ts';
import { commentsMigrations } from './migration.ts';

export const comments = defineProjection<CommentRow, Recorded<CommentEvent>>(commentModel, {
  migrations: commentsMigrations,
  key: ({ stream }) => [streamId(stream)],
  fold: (row, event, id) => {
    const { revision } = event;
    const at = event.recordedAt.toISOString();
    switch (event.type) {
      case 'CommentWritten':
        return { id, revision, ...event.data, createdAt: at, editedAt: null };
      case 'CommentEdited':
        return { ...existing(row, event), revision, body: event.data.body, editedAt: at };
      case 'CommentDeleted':
        return undefined;
    }
  },
});
