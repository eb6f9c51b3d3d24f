import { plainSnapshot, type Fold } from '../../define-events.ts';
import type { Askee, QuestionEvent } from './events.ts';

type Asked = Extract<QuestionEvent, { type: 'QuestionAsked' }>['data'];

export type Answer = {
  readonly choice: string | null;
  readonly words: string | null;
  /** null: nobody, it is the default. */
  readonly answeredBy: string | null;
};

export type QuestionState = {
  readonly status: 'missing' | 'open' | 'answered' | 'failed' | 'withdrawn';
  /** null while it is missing. The words are in the log: no decision needs them. */
  readonly asked: Omit<Asked, 'text' | 'askee'> | null;
  /** Any of them may answer. */
  readonly askees: readonly Askee[];
  /** It has been escalated: its deadline has had its effect. */
  readonly escalated: boolean;
  readonly answer: Answer | null;
};

function evolve(state: QuestionState, event: QuestionEvent): QuestionState {
  switch (event.type) {
    case 'QuestionAsked': {
      const { text: _, askee, ...asked } = event.data;
      return { ...state, status: 'open', asked, askees: [askee] };
    }
    case 'QuestionAnswered': {
      const { choice, words, answeredBy } = event.data;
      return { ...state, status: 'answered', answer: { choice, words, answeredBy } };
    }
    case 'QuestionDefaulted': {
      const { choice, words } = event.data;
      return { ...state, status: 'answered', answer: { choice, words, answeredBy: null } };
    }
    case 'QuestionEscalated':
      return { ...state, askees: [...state.askees, { kind: 'role', role: event.data.role }], escalated: true };
    case 'QuestionFailed':
      return { ...state, status: 'failed' };
    case 'QuestionWithdrawn':
      return { ...state, status: 'withdrawn' };
  }
}

export const questionFold: Fold<QuestionState, QuestionEvent> = {
  type: 'question',
  initial: { status: 'missing', asked: null, askees: [], escalated: false, answer: null },
  snapshot: plainSnapshot(1),
  evolve,
};
