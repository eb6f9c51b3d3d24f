import type { Aggregate } from '@workledger/shared/aggregate/aggregate.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import type { DataOf } from '@workledger/shared/contexts/define-commands.ts';
import type { commentCommands } from '@workledger/shared/contexts/task/comment/commands.ts';
import type { CommentEvent } from '@workledger/shared/contexts/task/comment/events.ts';
import { commentFold, type CommentState } from '@workledger/shared/contexts/task/comment/state.ts';

type Commands = DataOf<typeof commentCommands>;

export type CommentDecisions = Commands & {
  /** `repository`: its issue's, as the log has it. */
  'comment.create': Commands['comment.create'] & { repository: string | null };
};

/** What somebody says about an issue. Nobody changes another's words; an operator may take them away. */
export const comment: Aggregate<CommentState, CommentEvent, CommentDecisions> = {
  ...commentFold,
  decisions: {
    'comment.create': (data, { status }, { actor }) => {
      if (status !== 'missing') refuse('already-exists', 'this comment exists already');
      return [{ type: 'CommentWritten', data: { ...data, author: actor } }];
    },
    'comment.edit': ({ body }, state, { actor }) => {
      if (state.status !== 'written') refuse('not-found', 'there is no such comment');
      if (actor !== state.author) refuse('forbidden', 'a comment is edited by its author only');
      return body === state.body ? [] : [{ type: 'CommentEdited', data: { body } }];
    },
    'comment.delete': (_, { status, author }, { actor }) => {
      if (status === 'missing') refuse('not-found', 'there is no such comment');
      // Keys of persons that may send this at all are operators'.
      if (actor.startsWith('agent:') && actor !== author)
        refuse('forbidden', 'a comment is deleted by its author or an operator');
      return status === 'deleted' ? [] : [{ type: 'CommentDeleted', data: {} }];
    },
  },
};
