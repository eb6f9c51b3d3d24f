import type { Pool } from 'pg';
import { upcast } from '@workledger/shared/events/codec.ts';
import { inboxEvents, inboxId, type InboxEvent } from '@workledger/shared/contexts/agent/inbox/events.ts';
import { topic } from '@workledger/shared/contexts/agent/message/commands.ts';
import { addressOf, type MessageEvent, type MessageSent } from '@workledger/shared/contexts/agent/message/events.ts';
import { streamId, streamName, streamType } from '@workledger/shared/contexts/stream.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { readInboxRow } from '../reading/inbox.ts';
import type { Feed, Told } from './feed.ts';

/** Characters of body and content together that come with the news; what is longer is fetched from /messages/{id}. */
const MOST_WORDS = 16_384;

/** `inbox`: what comes to whoever listens, and what others confirm of what it sent. */
export const inboxFeed = (pool: Pool, log: EventLog): Feed => ({
  name: 'inbox',
  argument: null,
  streams: ['message', 'inbox'],
  open: async (_, { actor }) => [actor, 'all', ...(await topicsOf(pool, log, actor)).map((name) => `topic:${name}`)],
  tell: (recorded) => {
    const event = upcast(recorded) as RecordedEvent & (MessageEvent | InboxEvent);
    const of = (key: string) => ({ feed: 'inbox', key });
    switch (event.type) {
      case 'MessageSent': {
        const { from, to, repository } = event.data;
        const except = to.kind === 'participant' ? {} : { except: from };
        return [{ ...of(addressOf(to)), event: 'message', data: messageOf(event, event.data), repository, ...except }];
      }
      case 'MessageDelivered':
      case 'MessageRead': {
        const { from, participant } = event.data;
        const name = event.type === 'MessageRead' ? 'read' : 'delivered';
        const data = { messageId: streamId(event.stream), participant, at: event.recordedAt };
        return [{ ...of(from), event: name, data }];
      }
      case 'TopicSubscribed':
        return [{ ...of(event.data.participant), event: null, data: {}, add: `topic:${event.data.topic}` }];
      case 'TopicUnsubscribed':
        return [{ ...of(event.data.participant), event: null, data: {}, remove: `topic:${event.data.topic}` }];
      default:
        return [];
    }
  },
});

/** `topic:<topic>`: what is sent to a topic, whether it is subscribed to or not. */
export const topicFeed: Feed = {
  name: 'topic',
  argument: { noun: 'topic', schema: topic },
  streams: ['message'],
  open: async (name) => [name],
  tell: (recorded): readonly Told[] => {
    const event = upcast(recorded) as RecordedEvent & (MessageEvent | InboxEvent);
    if (event.type !== 'MessageSent' || event.data.to.kind !== 'topic') return [];
    const { to, repository } = event.data;
    return [{ feed: 'topic', key: to.topic, event: 'message', data: messageOf(event, event.data), repository }];
  },
};

const messageOf = ({ stream, recordedAt }: RecordedEvent, data: MessageSent) => {
  const { from, to, messageType, subject, body, content, repository, taskId, replyTo } = data;
  const isShort = body.length + (content?.length ?? 0) <= MOST_WORDS;
  return {
    ...{ id: streamId(stream), from, to, messageType, subject, repository, taskId, replyTo, sentAt: recordedAt },
    ...(isShort ? { body, content: content === null ? null : (JSON.parse(content) as unknown) } : { cut: true }),
    /** For a query that is to see it. */
    consistencyToken: `${stream}@0`,
  };
};

/** The topics of a participant as the log has them now: the read model, and what came after it. */
async function topicsOf(pool: Pool, log: EventLog, actor: string): Promise<readonly string[]> {
  const { revision, topics } = await readInboxRow(pool, actor);
  const now = new Set(topics.map((each) => each.topic));
  for await (const recorded of log.readStream(streamName(inboxEvents.type, inboxId(actor)), { from: revision + 1 })) {
    const event = upcast(recorded) as RecordedEvent & InboxEvent;
    if (event.type === 'TopicSubscribed') now.add(event.data.topic);
    if (event.type === 'TopicUnsubscribed') now.delete(event.data.topic);
  }
  return [...now];
}

export const isOf = (event: RecordedEvent, type: string): boolean => streamType(event.stream) === type;
