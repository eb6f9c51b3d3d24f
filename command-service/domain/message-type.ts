import type { Aggregate } from '@workledger/shared/aggregate/aggregate.ts';
import { canonicalJson } from '@workledger/shared/aggregate/canonical-json.ts';
import type { messageTypeCommands } from '@workledger/shared/contexts/agent/message-type/commands.ts';
import type { MessageTypeEvent } from '@workledger/shared/contexts/agent/message-type/events.ts';
import { messageTypeFold, type MessageTypeState } from '@workledger/shared/contexts/agent/message-type/state.ts';
import type { DataOf } from '@workledger/shared/contexts/define-commands.ts';

export type MessageTypeDecisions = DataOf<typeof messageTypeCommands>;

/** What messages of a name hold. What was sent under an earlier version stays as it was judged then. */
export const messageType: Aggregate<MessageTypeState, MessageTypeEvent, MessageTypeDecisions> = {
  ...messageTypeFold,
  decisions: {
    'message-type.register': ({ name, description, schema }, state) => {
      const isKnown =
        state !== null && state.description === description && canonicalJson(state.schema) === canonicalJson(schema);
      if (isKnown) return [];
      const number = (state?.number ?? 0) + 1;
      return [{ type: 'MessageTypeRegistered', data: { name, number, description, schema } }];
    },
  },
};
