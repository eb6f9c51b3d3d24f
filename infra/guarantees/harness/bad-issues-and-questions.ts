import { newId } from '@workledger/shared/contexts/stream.ts';
import { bad, patch, post, type BadRequest } from './bad-request.ts';

const title = 'x';

export const badIssues: readonly BadRequest[] = [
  bad('an issue with an unknown priority', 400, 'invalid-request', () =>
    post('/issues', { title, priority: 'urgent' }),
  ),
  bad('an issue with an unknown field', 400, 'invalid-request', () => post('/issues', { title, state: 'closed' })),
  bad('an issue of an unknown repository', 422, 'unknown-repository', () =>
    post('/issues', { title, repository: 'nowhere' }),
  ),
  bad('an unknown issue', 404, 'not-found', () => post(`/issues/${newId()}/close`, {})),
  bad('an unknown issue to read', 404, 'not-found', () => ({ method: 'GET', path: `/issues/${newId()}`, call: {} })),
  bad('an issue that is reopened while it is open', 409, 'illegal-transition', ({ issue }) =>
    post(`/issues/${issue}/reopen`, {}),
  ),
  bad('an issue that is resolved before it is started', 409, 'illegal-transition', ({ issue }) =>
    post(`/issues/${issue}/resolve`, {}),
  ),
  bad('an answer to an offer that there is not', 409, 'illegal-transition', ({ issue }) =>
    post(`/issues/${issue}/accept`, {}),
  ),
  bad('an assignee that is none', 400, 'invalid-request', ({ issue }) =>
    post(`/issues/${issue}/assign`, { assignee: 'bob' }),
  ),
  bad('an assignee that is not there', 422, 'unknown-reference', ({ issue }) =>
    post(`/issues/${issue}/assign`, { assignee: `agent:${newId()}` }),
  ),
  bad('an assignee, and agents to be asked', 422, 'out-of-range', ({ issue, agentId }) =>
    post(`/issues/${issue}/assign`, { assignee: `agent:${agentId}`, byCapability: true }),
  ),
  bad('a task of an issue without a repository', 422, 'unknown-repository', ({ issue }) =>
    post(`/issues/${issue}/task`, {}),
  ),
  bad('a stale If-Match of an issue', 412, 'revision-mismatch', ({ issue }) =>
    post(`/issues/${issue}/close`, {}, { ifMatch: 7 }),
  ),
  bad('a comment on an unknown issue', 422, 'unknown-reference', () =>
    post('/comments', { issueId: newId(), body: 'x' }),
  ),
  bad('a comment without a word', 400, 'invalid-request', ({ issue }) =>
    post('/comments', { issueId: issue, body: '' }),
  ),
  bad('an unknown comment', 404, 'not-found', () => patch(`/comments/${newId()}`, { body: 'x' })),
  bad("an issue under a viewer's key", 403, 'forbidden', ({ viewer }) => post('/issues', { title }, { key: viewer })),
];

const ask = (data: object) => () => post('/questions', { askee: { kind: 'role', role: 'admin' }, text: 'x', ...data });

export const badQuestions: readonly BadRequest[] = [
  bad('a question of nobody', 400, 'invalid-request', ask({ askee: { kind: 'everybody' } })),
  bad(
    'a question of a role that answers nothing',
    400,
    'invalid-request',
    ask({ askee: { kind: 'role', role: 'service' } }),
  ),
  bad('a question of somebody who is not there', 422, 'unknown-reference', () =>
    post('/questions', { askee: { kind: 'participant', participant: `agent:${newId()}` }, text: 'x' }),
  ),
  bad('a question without words', 400, 'invalid-request', ask({ text: '' })),
  bad('a question with a choice that comes twice', 422, 'out-of-range', ask({ choices: ['a', 'a'] })),
  bad(
    'a question with a deadline in the past',
    400,
    'invalid-request',
    ask({ deadline: { seconds: 0, then: { do: 'fail' } } }),
  ),
  bad('a question whose default is none of its choices', 422, 'out-of-range', () =>
    post('/questions', {
      ...{ askee: { kind: 'role', role: 'admin' }, text: 'x', choices: ['a'] },
      deadline: { seconds: 1, then: { do: 'default', answer: 'b' } },
    }),
  ),
  bad('a question about an unknown task', 422, 'unknown-reference', ask({ taskId: newId() })),
  bad('a question about a cancelled task', 409, 'illegal-transition', ({ cancelled }) =>
    post('/questions', { askee: { kind: 'role', role: 'admin' }, text: 'x', taskId: cancelled }),
  ),
  bad('a question of an unknown repository', 422, 'unknown-repository', ask({ repository: 'nowhere' })),
  bad('an unknown question', 404, 'not-found', () => post(`/questions/${newId()}/answer`, { words: 'x' })),
  bad('an unknown question to read', 404, 'not-found', () => ({
    method: 'GET',
    path: `/questions/${newId()}`,
    call: {},
  })),
  bad('an approval that nobody waits for', 409, 'illegal-transition', ({ task }) => post(`/tasks/${task}/approve`, {})),
  bad('a refusal without words', 400, 'invalid-request', ({ task }) => post(`/tasks/${task}/refuse`, {})),
  bad('work sent back that nobody has begun', 409, 'illegal-transition', ({ task }) =>
    post(`/tasks/${task}/send-back`, { words: 'x' }),
  ),
];
