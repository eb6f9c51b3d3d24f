import { plainSnapshot, type Fold } from '../../define-events.ts';
import type { MessageEvent, Recipient } from './events.ts';

/** A message, without its words: they were judged when it was sent. Null: there is none. */
export type MessageState = {
  readonly from: string;
  readonly to: Recipient;
  readonly repository: string | null;
  readonly delivered: boolean;
  readonly read: boolean;
} | null;

export const messageFold: Fold<MessageState, MessageEvent> = {
  type: 'message',
  initial: null,
  snapshot: plainSnapshot(1),
  evolve: (state, event) => {
    switch (event.type) {
      case 'MessageSent': {
        const { from, to, repository } = event.data;
        return { from, to, repository, delivered: false, read: false };
      }
      case 'MessageDelivered':
        return state && { ...state, delivered: true };
      case 'MessageRead':
        return state && { ...state, delivered: true, read: true };
    }
  },
};
