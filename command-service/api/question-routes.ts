import type { Commands } from '@workledger/shared/commands/port.ts';
import type { Route } from '@workledger/shared/http/route.ts';
import { creation, intention } from './command-route.ts';

const QUESTIONS = '/api/v1/questions';
const QUESTION = `${QUESTIONS}/{id}`;
const TASK = '/api/v1/tasks/{id}';
/** Words may have 10,000 characters, each of up to twelve bytes where JSON escapes it. */
const WORDY_BYTES = 256 * 1024;

const decided =
  'Answers the receipt of the question that is answered by it; the task follows when its run goes on. Whoever made the work is refused.';

/** Asking and answering, and what a person decides about the work of a task. */
export const questionRoutes = (commands: Commands): Route[] => [
  creation(commands, {
    method: 'post',
    path: QUESTIONS,
    type: 'question.ask',
    maxBodyBytes: WORDY_BYTES,
    summary: 'Ask a person, a role or a team',
    description:
      'An agent asks about the task that it holds and names its claim; the task says that it waits for the answer, and goes on meanwhile.',
    problems: ['claim-mismatch', 'unknown-reference', 'unknown-repository', 'out-of-range'],
  }),
  intention(commands, {
    method: 'post',
    path: `${QUESTION}/answer`,
    type: 'question.answer',
    maxBodyBytes: WORDY_BYTES,
    summary: 'Answer a question',
    description:
      'By whoever is asked, and by administrators. The first answer stands: a later one is refused with 409 `already-answered`, which tells it.',
    problems: ['already-answered', 'out-of-range'],
  }),
  intention(commands, {
    method: 'post',
    path: `${QUESTION}/withdraw`,
    type: 'question.withdraw',
    summary: 'Withdraw a question',
    description: 'By whoever asked it, and by administrators.',
  }),
  intention(commands, {
    method: 'post',
    path: `${TASK}/approve`,
    type: 'task.approve',
    maxBodyBytes: WORDY_BYTES,
    summary: 'Approve the merge of a task',
    description: decided,
    problems: ['already-answered'],
  }),
  intention(commands, {
    method: 'post',
    path: `${TASK}/refuse`,
    type: 'task.refuse',
    maxBodyBytes: WORDY_BYTES,
    summary: 'Refuse the merge of a task, with words',
    description: `The task fails; its branch stays. ${decided}`,
    problems: ['already-answered'],
  }),
  intention(commands, {
    method: 'post',
    path: `${TASK}/send-back`,
    type: 'task.ask-changes',
    maxBodyBytes: WORDY_BYTES,
    summary: 'Send the work of a task back, with words',
    description:
      'The next attempt reads them. Of a task whose approval is asked for, or that failed or was cancelled: that begins anew. ' +
      decided,
    problems: ['already-answered'],
  }),
];
