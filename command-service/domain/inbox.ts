import type { Aggregate } from '@workledger/shared/aggregate/aggregate.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import type { InboxEvent } from '@workledger/shared/contexts/agent/inbox/events.ts';
import { inboxFold, type InboxState } from '@workledger/shared/contexts/agent/inbox/state.ts';

export type InboxDecisions = {
  'inbox.subscribe': { topic: string };
  'inbox.unsubscribe': { topic: string };
  /** Confirms a message that came to many: to all (null), or to a topic. */
  'inbox.confirm': { messageId: string; topic: string | null; read: boolean };
  /** `until`: a position in the log. */
  'inbox.read-all': { until: string; repositories: string[] | null };
};

/** Topics of one participant at the same time. */
const MOST_TOPICS = 200;

/** What one participant did with what came to many. It does not grow with what was sent, only with what was done. */
export const inbox: Aggregate<InboxState, InboxEvent, InboxDecisions> = {
  ...inboxFold,
  decisions: {
    'inbox.subscribe': ({ topic }, { topics }, { actor }) => {
      if (topics.includes(topic)) return [];
      if (topics.length >= MOST_TOPICS)
        refuse('out-of-range', `at most ${MOST_TOPICS} topics: unsubscribe from one`, { topics: topics.length });
      return [{ type: 'TopicSubscribed', data: { participant: actor, topic } }];
    },
    'inbox.unsubscribe': ({ topic }, { topics }, { actor }) =>
      topics.includes(topic) ? [{ type: 'TopicUnsubscribed', data: { participant: actor, topic } }] : [],
    'inbox.confirm': ({ messageId, topic, read }, { topics, confirmed }, { actor }) => {
      if (topic !== null && !topics.includes(topic)) refuse('not-found', 'there is no such message in your inbox');
      const before = confirmed.find((each) => each.messageId === messageId);
      if (before !== undefined && (before.read || !read)) return [];
      return [{ type: read ? 'InboxMessageRead' : 'InboxMessageDelivered', data: { participant: actor, messageId } }];
    },
    'inbox.read-all': ({ until, repositories }, _, { actor }) => [
      { type: 'InboxRead', data: { participant: actor, until, repositories } },
    ],
  },
};
