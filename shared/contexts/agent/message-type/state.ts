import { plainSnapshot, type Fold } from '../../define-events.ts';
import type { MessageTypeEvent } from './events.ts';

/** The newest version of a message type; null: there is none. */
export type MessageTypeState = {
  readonly name: string;
  readonly number: number;
  readonly description: string;
  readonly schema: Readonly<Record<string, unknown>>;
} | null;

export const messageTypeFold: Fold<MessageTypeState, MessageTypeEvent> = {
  type: 'message-type',
  initial: null,
  snapshot: plainSnapshot(1),
  evolve: (_, event) => event.data,
};
