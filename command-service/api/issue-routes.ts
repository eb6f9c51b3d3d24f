import type { Commands } from '@workledger/shared/commands/port.ts';
import type { Route } from '@workledger/shared/http/route.ts';
import { creation, intention } from './command-route.ts';

const ISSUES = '/api/v1/issues';
const ISSUE = `${ISSUES}/{id}`;
const COMMENTS = '/api/v1/comments';
const COMMENT = `${COMMENTS}/{id}`;
/** A description may have 65,536 characters, each of up to six bytes where JSON escapes it. */
const WORDY_BYTES = 512 * 1024;

/** The intentions that change an issue. */
export const issueRoutes = (commands: Commands): Route[] => [
  creation(commands, {
    method: 'post',
    path: ISSUES,
    type: 'issue.create',
    maxBodyBytes: WORDY_BYTES,
    summary: 'Report an issue',
    problems: ['unknown-repository'],
  }),
  intention(commands, {
    method: 'patch',
    path: ISSUE,
    type: 'issue.change',
    maxBodyBytes: WORDY_BYTES,
    summary: 'Change details of an issue',
    description: 'Fields that are left out stay as they are.',
  }),
  intention(commands, {
    method: 'put',
    path: ISSUE,
    type: 'issue.update',
    maxBodyBytes: WORDY_BYTES,
    summary: 'Change an issue: its details, its assignee, its status',
    description:
      'Fields that are left out stay as they are. A `status` is an intention: `in-progress` starts, `resolved` resolves what is in progress, `closed` closes, `open` opens again; ' +
      'what it is already is nothing to do. Where any of it is refused, nothing changes. `InProgress`, `High` and their like are other names of the same.',
    problems: ['unknown-reference'],
  }),
  intention(commands, {
    method: 'delete',
    path: ISSUE,
    type: 'issue.close',
    summary: 'Close an issue',
    description: 'The log keeps it: an issue is closed, never deleted.',
  }),
  intention(commands, {
    method: 'post',
    path: `${ISSUE}/assign`,
    type: 'issue.assign',
    summary: 'Assign an issue, or have agents asked to take it',
    description:
      'Without an assignee, agents that have its capabilities are asked, the least loaded first, one at a time: each has until ' +
      '`offerEndsAt` to accept or decline, and nobody is asked twice.',
    problems: ['unknown-reference', 'out-of-range'],
  }),
  intention(commands, {
    method: 'post',
    path: `${ISSUE}/unassign`,
    type: 'issue.unassign',
    summary: 'Take an issue from whoever has it, or is asked for it',
  }),
  intention(commands, {
    method: 'post',
    path: `${ISSUE}/accept`,
    type: 'issue.accept',
    summary: 'Take an issue that is offered',
    description: 'An agent for itself; an operator for the agent that is asked.',
  }),
  intention(commands, {
    method: 'post',
    path: `${ISSUE}/decline`,
    type: 'issue.decline',
    summary: 'Do not take an issue that is offered',
    description: 'The next agent is asked.',
  }),
  intention(commands, { method: 'post', path: `${ISSUE}/start`, type: 'issue.start', summary: 'Start with an issue' }),
  intention(commands, {
    method: 'post',
    path: `${ISSUE}/resolve`,
    type: 'issue.resolve',
    maxBodyBytes: WORDY_BYTES,
    summary: 'Tell that an issue is resolved',
  }),
  intention(commands, { method: 'post', path: `${ISSUE}/close`, type: 'issue.close', summary: 'Close an issue' }),
  intention(commands, {
    method: 'post',
    path: `${ISSUE}/reopen`,
    type: 'issue.reopen',
    summary: 'Open an issue again that was resolved or closed',
  }),
  intention(commands, {
    method: 'post',
    path: `${ISSUE}/task`,
    type: 'issue.turn-into-task',
    summary: 'Turn an issue into a task',
    description:
      'Answers `taskId`. The issue follows the task: started with it, resolved with it, open again if it fails.',
    problems: ['unknown-repository'],
  }),
];

/** The intentions that change a comment. */
export const commentRoutes = (commands: Commands): Route[] => [
  creation(commands, {
    method: 'post',
    path: COMMENTS,
    type: 'comment.create',
    maxBodyBytes: WORDY_BYTES,
    summary: 'Comment on an issue',
    problems: ['unknown-reference'],
  }),
  intention(commands, {
    method: 'patch',
    path: COMMENT,
    type: 'comment.edit',
    maxBodyBytes: WORDY_BYTES,
    summary: 'Change the words of a comment of your own',
  }),
  intention(commands, {
    method: 'delete',
    path: COMMENT,
    type: 'comment.delete',
    summary: 'Delete a comment',
    description: 'Of your own; an operator deletes any. The log keeps it.',
  }),
];
