import { given } from '@workledger/shared/aggregate/testing.ts';
import type { TaskEvent } from '@workledger/shared/contexts/task/task/events.ts';
import type { Failure } from '@workledger/shared/contexts/values.ts';
import { describe, expect, it } from 'vitest';
import { task, type TaskDecisions } from './task.ts';

const claimId = '0190a000-0000-7000-8000-00000000000a';
const otherClaimId = '0190a000-0000-7000-8000-00000000000b';
const agentId = '0190a000-0000-7000-8000-0000000000a1';
const otherAgentId = '0190a000-0000-7000-8000-0000000000a2';
const parentId = '0190a000-0000-7000-8000-0000000000f1';
const commit = 'a'.repeat(40);
const failure: Failure = { step: 'work', reason: 'broke', command: null, exitCode: 1, lastLines: [], log: null };
const result = {
  commit,
  branch: 'workledger/task',
  merged: false,
  diffStat: null,
  metricsBefore: null,
  metricsAfter: null,
  costUsd: null,
  durationMs: 5,
};

const creation: TaskDecisions['task.create'] = {
  title: 'Make it fast',
  description: '',
  priority: 3,
  labels: [],
  metadata: {},
  capabilities: ['code'],
  repository: 'sample',
  dependencies: [],
  parentId,
  source: { kind: 'api', reference: null, url: null },
  requester: null,
  assignee: null,
  complexity: null,
};
const created: TaskEvent = { type: 'TaskCreated', data: creation };
const expanded: TaskEvent = { type: 'TaskExpanded', data: { subtasks: [parentId] } };
const givenUp: TaskEvent = { type: 'TaskExpansionGivenUp', data: { subtasks: [parentId] } };
const taking = { claimId, agentId, runtime: 'remote', leaseSeconds: 60 } as const;
const claimed: TaskEvent = { type: 'TaskClaimed', data: { ...taking, repository: 'sample' } };
const submitted: TaskEvent = { type: 'TaskWorkSubmitted', data: { claimId, commit, summary: null } };
const sentBack: TaskEvent = { type: 'TaskSentBack', data: { claimId, reason: 'red', report: null } };
const released: TaskEvent = { type: 'TaskClaimReleased', data: { claimId, agentId, reason: 'busy' } };
const atLimit: TaskEvent = { type: 'TaskClaimReleased', data: { claimId, agentId, reason: 'limit', limit: true } };
const expired: TaskEvent = { type: 'TaskClaimExpired', data: { claimId, agentId } };
const completed: TaskEvent = { type: 'TaskCompleted', data: { claimId, parentId, result } };
const failed: TaskEvent = { type: 'TaskFailed', data: { claimId, failure } };
const cancelled = { type: 'TaskCancelled', data: { claimId: null, reason: 'no need', parentId } } satisfies TaskEvent;
const retried: TaskEvent = { type: 'TaskRetried', data: { reason: 'again' } };
const approvalAsked: TaskEvent = { type: 'TaskApprovalAsked', data: { claimId, questionId: parentId, commit } };
const begunAnew: TaskEvent = {
  type: 'TaskRetried',
  data: { reason: 'a person sent it back', words: 'not so', by: 'system' },
};
const progress: TaskEvent = { type: 'TaskProgressReported', data: { claimId, note: 'half', percent: 50 } };

const states = {
  missing: [],
  pending: [created],
  expanded: [created, expanded],
  working: [created, claimed],
  reworking: [created, claimed, submitted, sentBack],
  validation: [created, claimed, submitted],
  complete: [created, claimed, submitted, completed],
  failed: [created, claimed, failed],
  cancelled: [created, cancelled],
} satisfies Record<string, readonly TaskEvent[]>;
type Name = keyof typeof states;

type Expectation = {
  readonly data: unknown;
  /** What is decided, by state. Everywhere else: refused, with the code given in `elsewhere`. */
  readonly decided: Partial<Record<Name, readonly TaskEvent[]>>;
  readonly refused: 'illegal-transition' | 'claim-mismatch' | 'already-exists';
  readonly illegal?: readonly Name[];
};

const inWork = (event: TaskEvent) => ({ working: [event], reworking: [event] });
/** Those of pull requests have tests of their own. */
const table: Record<Exclude<keyof TaskDecisions, `${string}pull-request`>, Expectation> = {
  'task.create': { data: creation, decided: { missing: [created] }, refused: 'already-exists' },
  'task.change': {
    data: { title: 'New' },
    decided: Object.fromEntries(
      (['pending', 'expanded', 'working', 'reworking', 'validation', 'failed', 'cancelled'] as const).map((name) => [
        name,
        [{ type: 'TaskDetailsChanged', data: { title: 'New' } }],
      ]),
    ),
    refused: 'illegal-transition',
  },
  'task.give-up-expansion': {
    data: { subtasks: [parentId] },
    decided: {
      pending: [givenUp],
      expanded: [],
      working: [givenUp],
      reworking: [givenUp],
      validation: [givenUp],
      failed: [givenUp],
      cancelled: [givenUp],
      complete: [],
    },
    refused: 'illegal-transition',
  },
  'task.expand': { data: { subtasks: [parentId] }, decided: { pending: [expanded] }, refused: 'illegal-transition' },
  'task.take': { data: taking, decided: { pending: [claimed] }, refused: 'illegal-transition' },
  'task.report-progress': {
    data: progress.data,
    decided: { ...inWork(progress), validation: [progress] },
    refused: 'claim-mismatch',
  },
  'task.submit': {
    data: submitted.data,
    decided: inWork(submitted),
    refused: 'claim-mismatch',
    illegal: ['validation'],
  },
  'task.send-back': {
    data: sentBack.data,
    decided: { validation: [sentBack] },
    refused: 'claim-mismatch',
    illegal: ['working', 'reworking'],
  },
  'task.release': {
    data: { claimId, reason: 'busy' },
    decided: inWork(released),
    refused: 'claim-mismatch',
    illegal: ['validation'],
  },
  'task.expire-claim': {
    data: { claimId },
    decided: inWork(expired),
    refused: 'claim-mismatch',
    illegal: ['validation'],
  },
  'task.complete': {
    data: { claimId, result },
    decided: { validation: [completed] },
    refused: 'claim-mismatch',
    illegal: ['working', 'reworking'],
  },
  'task.complete-parent': {
    data: { result },
    decided: { expanded: [{ type: 'TaskCompleted', data: { claimId: null, parentId, result } }], complete: [] },
    refused: 'illegal-transition',
  },
  'task.fail': {
    data: { claimId, failure },
    decided: { ...inWork(failed), validation: [failed] },
    refused: 'claim-mismatch',
  },
  'task.cancel': {
    data: { reason: 'no need' },
    decided: {
      pending: [cancelled],
      expanded: [{ type: 'TaskCancelled', data: { ...cancelled.data, hasSubtasks: true } }],
      failed: [cancelled],
      working: [{ type: 'TaskCancelled', data: { claimId, reason: 'no need', parentId } }],
      reworking: [{ type: 'TaskCancelled', data: { claimId, reason: 'no need', parentId } }],
      validation: [{ type: 'TaskCancelled', data: { claimId, reason: 'no need', parentId } }],
      cancelled: [],
    },
    refused: 'illegal-transition',
  },
  'task.await-approval': {
    data: approvalAsked.data,
    decided: { validation: [approvalAsked] },
    refused: 'claim-mismatch',
    illegal: ['working', 'reworking'],
  },
  'task.ask-changes': {
    data: { words: 'not so' },
    decided: { failed: [begunAnew], cancelled: [begunAnew] },
    refused: 'illegal-transition',
  },
  'task.retry': {
    data: { reason: 'again' },
    decided: { failed: [retried], cancelled: [retried] },
    refused: 'illegal-transition',
  },
};

describe.each(Object.entries(table))('%s', (type, { data, decided, refused, illegal }) => {
  it.each(Object.keys(states) as Name[])('from %s', (name) => {
    const outcome = given(task, ...states[name]).when(type as keyof TaskDecisions, data as never);
    const events = decided[name];
    if (events !== undefined) outcome.then(...events);
    else if (name === 'missing') outcome.thenRefused('not-found');
    else outcome.thenRefused(illegal?.includes(name) ? 'illegal-transition' : refused);
  });
});

describe('a claim', () => {
  const bound = [
    ['task.report-progress', progress.data],
    ['task.submit', submitted.data],
    ['task.release', { claimId, reason: 'busy' }],
    ['task.expire-claim', { claimId }],
    ['task.fail', { claimId, failure }],
  ] as const;

  it.each(bound)('that is another one is not enough for %s', (type, data) => {
    const late = { ...data, claimId: otherClaimId };
    given(task, created, claimed).when(type, late).thenRefused('claim-mismatch');
  });
  it.each(bound)('that expired is refused late, also when the task was claimed anew: %s', (type, data) => {
    const again: TaskEvent = { type: 'TaskClaimed', data: { ...taking, claimId: otherClaimId, repository: 'sample' } };
    given(task, created, claimed, expired, again).when(type, data).thenRefused('claim-mismatch');
  });
  it.each(bound)('of one agent is not for another agent: %s', (type, data) => {
    given(task, created, claimed)
      .when(type, data, { actor: `agent:${otherAgentId}` })
      .thenRefused('forbidden');
  });
  it('of an agent is for that agent', () => {
    given(task, created, claimed)
      .when('task.submit', { claimId, commit, summary: null }, { actor: `agent:${agentId}` })
      .then(submitted);
  });
  it('is needed to fail a task that is claimed', () => {
    given(task, created, claimed).when('task.fail', { claimId: null, failure }).thenRefused('claim-mismatch');
  });
  it('can be submitted again after the work was sent back', () => {
    given(task, ...states.reworking)
      .when('task.submit', { claimId, commit, summary: null })
      .then(submitted);
  });
});

describe('a change', () => {
  it('of nothing is nothing', () => {
    given(task, created).when('task.change', { title: 'Make it fast', labels: [], assignee: undefined }).then();
  });
  it('tells only what is new', () => {
    given(task, created)
      .when('task.change', { title: 'Make it fast', priority: 1 })
      .then({ type: 'TaskDetailsChanged', data: { priority: 1 } });
  });
});

it('a retried task can be claimed again', () => {
  given(task, ...states.failed, retried)
    .when('task.take', taking)
    .thenState(({ status, claim }) =>
      expect({ status, claim: claim?.claimId }).toEqual({ status: 'in-progress', claim: claimId }),
    );
});

describe('an expansion that was given up', () => {
  it('is so once, and refused ever after', () => {
    given(task, created, givenUp)
      .when('task.give-up-expansion', { subtasks: [parentId] })
      .then();
    given(task, created, givenUp)
      .when('task.expand', { subtasks: [parentId] })
      .thenRefused('illegal-transition');
  });
  it('leaves the task free for another', () => {
    given(task, created, givenUp)
      .when('task.expand', { subtasks: [agentId] })
      .then({ type: 'TaskExpanded', data: { subtasks: [agentId] } });
  });
});

it('a task that is cancelled with its whole does not tell it', () => {
  given(task, created)
    .when('task.cancel', { reason: 'no need', withWhole: true })
    .then({ type: 'TaskCancelled', data: { claimId: null, reason: 'no need' } });
});

it('a release says where its agent met a limit of use', () => {
  given(task, created, claimed).when('task.release', { claimId, reason: 'limit', limit: true }).then(atLimit);
});

describe('what a person says of the work', () => {
  const said = { words: 'greet the world, too', by: 'key:1' };
  it.each([
    ['sends it back', [created, claimed, submitted], 'task.send-back', { ...sentBack.data, ...said }],
    ['ends it', [created, claimed, submitted], 'task.fail', { claimId, failure, ...said }],
    ['lets it begin anew', [created, cancelled], 'task.ask-changes', { words: said.words }],
  ] as const)('%s, and is kept for the next attempt', (_, events, type, data) => {
    given(task, ...events)
      .when(type, data)
      .thenState((state) => expect(state.words).toBe(said.words));
  });
  it('stays when another agent takes the task', () => {
    const back: TaskEvent = { type: 'TaskSentBack', data: { claimId, reason: 'red', report: null, ...said } };
    given(task, created, claimed, submitted, back)
      .when('task.release', { claimId, reason: 'busy' })
      .thenState((state) => expect(state.words).toBe(said.words));
  });
  it('an approval is asked for once a question', () => {
    given(task, created, claimed, submitted, approvalAsked).when('task.await-approval', approvalAsked.data).then();
  });
});
