import type { Fold } from '../../define-events.ts';
import type { CommentEvent } from './events.ts';

export type CommentState = {
  readonly status: 'missing' | 'written' | 'deleted';
  readonly repository: string | null;
  readonly author: string;
  readonly body: string;
};

const noComment: CommentState = { status: 'missing', repository: null, author: '', body: '' };

function evolve(state: CommentState, event: CommentEvent): CommentState {
  switch (event.type) {
    case 'CommentWritten': {
      const { repository, author, body } = event.data;
      return { status: 'written', repository, author, body };
    }
    case 'CommentEdited':
      return { ...state, body: event.data.body };
    case 'CommentDeleted':
      return { ...state, status: 'deleted', body: '' };
  }
}

export const commentFold: Fold<CommentState, CommentEvent> = { type: 'comment', initial: noComment, evolve };
