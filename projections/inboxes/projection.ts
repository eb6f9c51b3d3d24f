import type { InboxEvent } from '@workledger/shared/contexts/agent/inbox/events.ts';
import {
  inboxModel,
  receiptModel,
  type InboxRow,
  type ReceiptRow,
} from '@workledger/shared/contexts/agent/inbox/row.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import { defineProjection, type Recorded } from '../engine/projection.ts';
import { inboxesTable, receiptsTable } from './migration.ts';

type Mark = InboxRow['marks'][number];

/** A row an inbox: its topics, each from where on, and up to where all is read. */
export const inboxes = defineProjection<InboxRow, Recorded<InboxEvent>>(inboxModel, {
  migrations: [inboxesTable],
  key: ({ stream }) => [streamId(stream)],
  fold: (row, event, id) => {
    const { participant } = event.data;
    const inbox = { ...(row ?? { topics: [], marks: [] }), id, revision: event.revision, participant };
    const at = event.recordedAt.toISOString();
    switch (event.type) {
      case 'TopicSubscribed': {
        const since = String(event.position);
        return { ...inbox, topics: [...inbox.topics, { topic: event.data.topic, since, subscribedAt: at }] };
      }
      case 'TopicUnsubscribed':
        return { ...inbox, topics: inbox.topics.filter(({ topic }) => topic !== event.data.topic) };
      case 'InboxRead': {
        const { until, repositories } = event.data;
        return { ...inbox, marks: (repositories ?? [null]).reduce(put({ until, at }), inbox.marks) };
      }
      case 'InboxMessageDelivered':
      case 'InboxMessageRead':
        return inbox;
    }
  },
});

/** The mark of all takes the place of those that it goes beyond; a mark never goes back. */
const put =
  ({ until, at }: Omit<Mark, 'repository'>) =>
  (marks: InboxRow['marks'], repository: string | null): InboxRow['marks'] => {
    const place = BigInt(until);
    const isBeyond = marks.some(
      (mark) => (mark.repository === null || mark.repository === repository) && BigInt(mark.until) >= place,
    );
    if (isBeyond) return marks;
    const others = marks.filter((mark) =>
      repository === null ? BigInt(mark.until) > place : mark.repository !== repository,
    );
    return [...others, { repository, until, at }];
  };

/** A row a message that came to many and was confirmed by one. */
export const receipts = defineProjection<ReceiptRow, Recorded<InboxEvent>>(receiptModel, {
  migrations: [receiptsTable],
  key: ({ stream, type, data }) =>
    type === 'InboxMessageDelivered' || type === 'InboxMessageRead' ? [`${streamId(stream)}/${data.messageId}`] : [],
  fold: (row, event, id) => {
    if (event.type !== 'InboxMessageDelivered' && event.type !== 'InboxMessageRead') return row;
    const { participant, messageId } = event.data;
    const at = event.recordedAt.toISOString();
    const deliveredAt = row?.deliveredAt ?? at;
    const readAt = row?.readAt ?? (event.type === 'InboxMessageRead' ? at : null);
    return { id, revision: event.revision, participant, messageId, deliveredAt, readAt };
  },
});
