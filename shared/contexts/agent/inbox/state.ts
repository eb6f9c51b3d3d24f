import { plainSnapshot, type Fold } from '../../define-events.ts';
import type { InboxEvent } from './events.ts';

type Confirmed = { readonly messageId: string; readonly read: boolean };

export type InboxState = {
  readonly topics: readonly string[];
  /** The last ones, newest last: a repeat of an older confirmation is written again, and changes nothing. */
  readonly confirmed: readonly Confirmed[];
};

/** Confirmations that are remembered. */
const MOST_CONFIRMED = 200;

const confirm = (state: InboxState, confirmed: Confirmed): InboxState => ({
  ...state,
  confirmed: [...state.confirmed.filter(({ messageId }) => messageId !== confirmed.messageId), confirmed].slice(
    -MOST_CONFIRMED,
  ),
});

export const inboxFold: Fold<InboxState, InboxEvent> = {
  type: 'inbox',
  initial: { topics: [], confirmed: [] },
  snapshot: plainSnapshot(1),
  evolve: (state, event) => {
    switch (event.type) {
      case 'TopicSubscribed':
        return { ...state, topics: [...state.topics, event.data.topic] };
      case 'TopicUnsubscribed':
        return { ...state, topics: state.topics.filter((topic) => topic !== event.data.topic) };
      case 'InboxMessageDelivered':
        return confirm(state, { messageId: event.data.messageId, read: false });
      case 'InboxMessageRead':
        return confirm(state, { messageId: event.data.messageId, read: true });
      case 'InboxRead':
        return state;
    }
  },
};
