import { history, timeOf } from '@workledger/infra/testing/events/history.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { QuestionEvent } from '@workledger/shared/contexts/task/question/events.ts';
import { expect, it } from 'vitest';
import { foldAll } from '../engine/fold-all.ts';
import { questions } from './projection.ts';

const about = { taskId: newId(), runId: null };
const at = '2026-01-02T00:00:00.000Z';
const asked: QuestionEvent = {
  type: 'QuestionAsked',
  data: {
    ...about,
    ...{ askedBy: 'agent:1', askee: { kind: 'team', team: 'web' }, text: 'Which greeting?', choices: [] },
    ...{ repository: 'sample', deadline: { at, then: 'default', answer: 'Hello' }, approval: null },
  },
};
const open = {
  ...{ taskId: about.taskId, askedBy: 'agent:1', askeeKind: 'team', askee: 'web', text: 'Which greeting?' },
  ...{ repository: 'sample', approvalOf: null, deadline: at, onDeadline: 'default', defaultAnswer: 'Hello' },
  ...{ state: 'open', choice: null, words: null, answeredBy: null, via: null, askedAt: timeOf(0), endedAt: null },
};

it.each<[string, QuestionEvent[], object]>([
  ['asked', [], open],
  [
    'answered',
    [{ type: 'QuestionAnswered', data: { ...about, choice: null, words: 'Hi', answeredBy: 'key:1', via: 'api' } }],
    { ...open, state: 'answered', words: 'Hi', answeredBy: 'key:1', via: 'api', endedAt: timeOf(1) },
  ],
  [
    'answered by its default',
    [{ type: 'QuestionDefaulted', data: { ...about, choice: null, words: 'Hello' } }],
    { ...open, state: 'answered', words: 'Hello', via: 'default', endedAt: timeOf(1) },
  ],
  [
    'escalated, then withdrawn',
    [
      { type: 'QuestionEscalated', data: { ...about, role: 'admin' } },
      { type: 'QuestionWithdrawn', data: { ...about, withdrawnBy: 'agent:1', reason: 'no need' } },
    ],
    { ...open, state: 'withdrawn', escalatedTo: 'admin', reason: 'no need', endedAt: timeOf(2) },
  ],
  [
    'left without an answer',
    [{ type: 'QuestionFailed', data: { ...about, reason: 'nobody answered in time' } }],
    { ...open, state: 'failed', reason: 'nobody answered in time', endedAt: timeOf(1) },
  ],
])('shows a question that was %s', (_, later, expected) => {
  const id = newId();
  const rows = foldAll(questions, history(streamName('question', id), [asked, ...later]));
  expect([...rows.values()]).toEqual([expect.objectContaining({ id, revision: later.length, ...expected })]);
});
