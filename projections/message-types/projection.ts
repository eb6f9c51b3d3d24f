import type { MessageTypeEvent } from '@workledger/shared/contexts/agent/message-type/events.ts';
import { messageTypeModel, type MessageTypeRow } from '@workledger/shared/contexts/agent/message-type/row.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import type { Migration } from '@workledger/shared/migrations/migrate.ts';
import { defineProjection, type Recorded } from '../engine/projection.ts';

const v1: Migration = {
  name: '0063-message-types-v1',
  up: async (knex) => {
    await knex.raw(`
      create table read_models.message_types_v1 (
        id text primary key,
        revision integer not null,
        name text not null,
        number integer not null,
        description text not null,
        schema jsonb not null,
        registered_at timestamptz not null,
        updated_at timestamptz not null
      );

      create index message_types_v1_name on read_models.message_types_v1 (name, id);
      create view read_models.message_types as select * from read_models.message_types_v1;
    `);
  },
};

/** A row a type, as its newest version says. */
export const messageTypes = defineProjection<MessageTypeRow, Recorded<MessageTypeEvent>>(messageTypeModel, {
  migrations: [v1],
  key: ({ stream }) => [streamId(stream)],
  fold: (row, { revision, data, recordedAt }, id) => {
    const at = recordedAt.toISOString();
    return { id, revision, ...data, registeredAt: row?.registeredAt ?? at, updatedAt: at };
  },
});
