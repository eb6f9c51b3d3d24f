import { nullsOf } from '@workledger/shared/contexts/define-row.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import type { Askee, QuestionEvent } from '@workledger/shared/contexts/task/question/events.ts';
import { questionModel, questionRow, type QuestionRow } from '@workledger/shared/contexts/task/question/row.ts';
import { defineProjection, existing, type Recorded } from '../engine/projection.ts';
import { questionsMigrations } from './migration.ts';

type Asked = Extract<QuestionEvent, { type: 'QuestionAsked' }>['data'];
type Later = Exclude<QuestionEvent, { type: 'QuestionAsked' }>;

const nothing = nullsOf(questionRow);

const nameOf = (askee: Askee): string => {
  if (askee.kind === 'participant') return askee.participant;
  return askee.kind === 'role' ? askee.role : askee.team;
};

const asked = ({ askee, approval, deadline, ...data }: Asked) => ({
  ...nothing,
  ...data,
  state: 'open' as const,
  askeeKind: askee.kind,
  askee: nameOf(askee),
  approvalOf: approval?.commit ?? null,
  deadline: deadline?.at ?? null,
  onDeadline: deadline?.then ?? null,
  defaultAnswer: deadline?.answer ?? null,
});

function changes(event: Later, at: string): Partial<QuestionRow> {
  switch (event.type) {
    case 'QuestionAnswered': {
      const { choice, words, answeredBy, via } = event.data;
      return { state: 'answered', choice, words, answeredBy, via, endedAt: at };
    }
    case 'QuestionDefaulted': {
      const { choice, words } = event.data;
      return { state: 'answered', choice, words, via: 'default', endedAt: at };
    }
    case 'QuestionEscalated':
      return { escalatedTo: event.data.role };
    case 'QuestionFailed':
      return { state: 'failed', reason: event.data.reason, endedAt: at };
    case 'QuestionWithdrawn':
      return { state: 'withdrawn', reason: event.data.reason, endedAt: at };
  }
}

export const questions = defineProjection<QuestionRow, Recorded<QuestionEvent>>(questionModel, {
  migrations: questionsMigrations,
  key: ({ stream }) => [streamId(stream)],
  fold: (row, event, id) => {
    const { revision } = event;
    const at = event.recordedAt.toISOString();
    if (event.type === 'QuestionAsked') return { ...asked(event.data), id, revision, askedAt: at };
    return { ...existing(row, event), ...changes(event, at), revision };
  },
});
