import type { Aggregate } from '@workledger/shared/aggregate/aggregate.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import type { MessageEvent, MessageSent } from '@workledger/shared/contexts/agent/message/events.ts';
import { messageFold, type MessageState } from '@workledger/shared/contexts/agent/message/state.ts';

export type MessageDecisions = {
  /** As it was judged: who sends it is known, and whom it is for is there. */
  'message.send': MessageSent;
  'message.deliver': Record<string, never>;
  'message.read': Record<string, never>;
};

/** Words from one to another. One to one, it knows whether it came, and whether it was read: by nobody but the one it is for. */
export const message: Aggregate<MessageState, MessageEvent, MessageDecisions> = {
  ...messageFold,
  decisions: {
    'message.send': (data, state) => {
      if (state !== null) refuse('already-exists', 'this message was sent already');
      return [{ type: 'MessageSent', data }];
    },
    'message.deliver': (_, state, { actor }) => {
      const { delivered, from } = ownMessage(state, actor);
      return delivered ? [] : [{ type: 'MessageDelivered', data: { participant: actor, from } }];
    },
    'message.read': (_, state, { actor }) => {
      const { read, from } = ownMessage(state, actor);
      return read ? [] : [{ type: 'MessageRead', data: { participant: actor, from } }];
    },
  },
};

/** To whom it is not for, it is not there. */
function ownMessage(state: MessageState, actor: string): NonNullable<MessageState> {
  const isOwn = state !== null && state.to.kind === 'participant' && state.to.participant === actor;
  return isOwn ? state : refuse('not-found', 'there is no such message in your inbox');
}
