import { derivedId, newId } from '@workledger/shared/contexts/stream.ts';
import type { Definition, Step } from '@workledger/shared/contexts/task/workflow/definition.ts';
import { describe, expect, it } from 'vitest';
import { scenario } from '../engine/testing/scenario.ts';
import { commentOn } from '../components/github/comments.ts';
import { workflow } from './workflow.ts';

const timer = (id: string, more: object = {}): Step => ({ kind: 'timer', id, seconds: 1, ...more });
const send = (id: string, more: object = {}): Step => ({
  kind: 'command',
  id,
  command: 'task.create',
  data: { title: id },
  ...more,
});
const undo = { kind: 'command', command: 'task.cancel', target: { $from: '/steps/a/result/id' } } as const;

function begin(steps: Step[], more: Partial<Definition> = {}, inputs: object = {}, rights: object = {}) {
  const run = scenario(workflow);
  const runId = newId();
  const own = { workflowId: newId(), version: 1, repository: null, startedBy: 'user:x', rights, parent: null };
  run.receives('workflow-run', runId, 'WorkflowRunStarted', {
    ...own,
    definition: { name: 'w', steps, ...more },
    inputs,
  });
  const receive = (type: string, data: object = {}) =>
    run.receives('workflow-run', runId, type, { by: 'user:x', reason: 'so', ...data });
  return { ...run, runId, receive };
}

describe('a run', () => {
  it('does one step after the other, with what came of those before, and answers its outputs', () => {
    const run = begin(
      [
        send('a', { data: { title: { $from: '/inputs/title' } } }),
        timer('b', { after: ['a'], seconds: { $cel: 'inputs.n * 2' } }),
      ],
      { outputs: { task: { $from: '/steps/a/result/id' } } },
      { title: 'x', n: 3 },
    );
    expect(run.open()).toEqual(['step/a/1/1']);
    expect(run.requested('step/a/1/1')).toMatchObject({
      type: 'workflow-run.perform',
      data: { step: 'a', type: 'task.create', target: null, data: { title: 'x' } },
    });
    run.succeeds('step/a/1/1', { id: 't1' });
    expect(run.requested('step/b/1/1')).toMatchObject({ kind: 'timer', dueAt: '2026-01-01T00:00:06.000Z' });
    run.succeeds('step/b/1/1');
    expect(run.requested('end/1')).toMatchObject({ type: 'workflow-run.complete', data: { outputs: { task: 't1' } } });
    run.succeeds('end/1');
    expect([run.open(), run.ended()]).toEqual([[], 'completed']);
  });

  it('has so many steps under way at once', () => {
    const run = begin(
      [1, 2, 3, 4].map((number) => timer(`s${number}`)),
      { atOnce: 2 },
    );
    expect(run.open()).toEqual(['step/s1/1/1', 'step/s2/1/1']);
    run.succeeds('step/s2/1/1');
    expect(run.open()).toEqual(['step/s1/1/1', 'step/s3/1/1']);
  });

  it('goes where a choice leads, and passes by all else', () => {
    const choice: Step = {
      ...{ kind: 'choice', id: 'size', otherwise: 'small' },
      cases: [{ choice: 'large', when: 'inputs.n > 10' }],
    };
    const ways = [
      timer('large', { after: [{ step: 'size', choice: 'large' }] }),
      timer('small', { after: [{ step: 'size', choice: 'small' }] }),
      timer('late', { after: ['large'] }),
      timer('both', { after: ['large', 'small'], join: 'any' }),
    ];
    const run = begin([choice, ...ways], {}, { n: 3 });
    expect(run.open()).toEqual(['step/small/1/1']);
    run.succeeds('step/small/1/1');
    expect(run.open()).toEqual(['step/both/1/1']);
    run.succeeds('step/both/1/1');
    expect(run.steps()).toContain('late skipped');
    expect(run.open()).toEqual(['end/1']);
  });

  it('tries a step again, later each time, and then fails', () => {
    const run = begin([send('a', { retry: { attempts: 2, backoffSeconds: 4 } })]);
    run.fails('step/a/1/1');
    expect(run.open()).toEqual(['step/a/1/1/retry']);
    run.succeeds('step/a/1/1/retry');
    run.fails('step/a/1/2', false, 'refused');
    expect(run.requested('end/1/failed')).toMatchObject({ data: { failure: { reason: 'refused' }, notUndone: [] } });
    run.succeeds('end/1/failed');
    expect(run.open()).toEqual([]);
  });

  it('fails in words where what a step is given is not there', () => {
    const run = begin([timer('a'), timer('b', { after: ['a'], seconds: { $from: '/steps/a/result/none' } })]);
    run.succeeds('step/a/1/1');
    expect(run.requested('end/1/failed')).toMatchObject({
      data: { failure: { step: 'b', reason: 'there is nothing at /steps/a/result/none' } },
    });
  });

  it('fails in words where what it answers, or what a step is given, is too large for an event', () => {
    const large = { $from: '/steps/a/result/words' };
    const result = { words: 'é'.repeat(80_000) };
    const answers = begin([send('a')], { outputs: { large } });
    answers.succeeds('step/a/1/1', result);
    expect(answers.requested('end/1/failed')).toMatchObject({
      data: { failure: { step: 'outputs', reason: expect.stringContaining('150000 at most') } },
    });
    const given = begin([send('a'), send('b', { after: ['a'], data: { title: large } })]);
    given.succeeds('step/a/1/1', result);
    expect(given.requested('end/1/failed')).toMatchObject({ data: { failure: { step: 'b' } } });
  });

  it('undoes what succeeded, the last first, before it tells that it failed', () => {
    const run = begin([
      send('a', { compensation: undo }),
      send('b', { after: ['a'], compensation: { ...undo, target: { $from: '/steps/b/result/id' } } }),
      send('c', { after: ['b'] }),
    ]);
    const [a, b] = [newId(), newId()];
    run.succeeds('step/a/1/1', { id: a });
    run.succeeds('step/b/1/1', { id: b });
    run.fails('step/c/1/1');
    expect(run.open()).toEqual(['undo/b/1/1']);
    expect(run.requested('undo/b/1/1')).toMatchObject({ data: { undo: true, type: 'task.cancel', target: b } });
    run.succeeds('undo/b/1/1');
    expect(run.requested('undo/a/1/1')).toMatchObject({ data: { target: a } });
    for (let number = 1; number < 5; number++) {
      run.fails(`undo/a/1/${number}`);
      run.succeeds(`undo/a/1/${number}/retry`);
    }
    run.fails('undo/a/1/5');
    expect(run.requested('end/1/failed')).toMatchObject({ data: { notUndone: ['a'] } });
  });

  it('begins nothing while it is paused, and goes on when it is resumed', () => {
    const run = begin([timer('a'), timer('b', { after: ['a'] })]);
    run.receive('WorkflowRunPaused');
    run.succeeds('step/a/1/1');
    expect(run.open()).toEqual([]);
    run.receive('WorkflowRunResumed');
    expect(run.open()).toEqual(['step/b/1/1']);
  });

  it('lets a command end before it is cancelled, and undoes it', () => {
    const run = begin([send('a', { compensation: undo }), timer('b'), timer('c', { after: ['a'] })]);
    run.receive('WorkflowRunCancelAsked');
    expect(run.open()).toEqual(['step/a/1/1']);
    run.succeeds('step/a/1/1', { id: newId() });
    expect(run.open()).toEqual(['undo/a/1/1']);
    run.succeeds('undo/a/1/1');
    expect(run.open()).toEqual(['end/1/cancelled']);
  });

  it('is taken up again with what failed and what was undone, and keeps the rest', () => {
    const run = begin([
      send('a', { compensation: undo }),
      timer('k'),
      send('b', { after: ['a'] }),
      timer('c', { after: ['b', 'k'] }),
    ]);
    run.succeeds('step/a/1/1', { id: newId() });
    run.succeeds('step/k/1/1');
    run.fails('step/b/1/1');
    run.succeeds('undo/a/1/1');
    run.succeeds('end/1/failed');
    run.receive('WorkflowRunRetried', { from: [] });
    expect(run.open()).toEqual(['step/a/2/1']);
    run.succeeds('step/a/2/1', { id: newId() });
    run.succeeds('step/b/2/1');
    run.succeeds('step/c/1/1');
    run.succeeds('end/2');
    expect(run.ended()).toBe('completed');
  });
});

describe('what a run calls', () => {
  const request = { repository: 'shop', number: 7, text: { $from: '/inputs/words' } };
  const comment: Step = { kind: 'call', id: 'say', component: 'github.comment', request, retry: { attempts: 2 } };
  const requestOf = (effect: unknown): unknown => (effect as { readonly request: unknown }).request;

  it('is asked under the names of its run and step, the same whatever the attempt', () => {
    const run = begin([comment], {}, { words: 'Hello' }, { repositories: ['shop'] });
    const said = requestOf(run.requested('step/say/1/1'));
    expect(commentOn.request.parse(said)).toEqual({
      ...{ taskId: run.runId, runId: run.runId, repository: 'shop', number: 7, text: 'Hello', about: 'workflow/say' },
    });
    run.fails('step/say/1/1', true);
    run.succeeds('step/say/1/1/retry');
    expect(requestOf(run.requested('step/say/1/2'))).toEqual(said);
  });
  it('stays within the repositories of whoever started it, and within what it takes', () => {
    for (const [words, repositories, reason] of [
      ['Hello', ['other'], /none of those of whoever started the run/],
      ['', null, /is not what github.comment takes/],
    ] as const) {
      const run = begin([comment], {}, { words }, { repositories });
      expect(run.requested('end/1/failed')).toMatchObject({
        data: { failure: { step: 'say', reason: expect.stringMatching(reason) } },
      });
    }
  });
  it('is one answer of a model, whose money is counted by the run', () => {
    const asks = { model: 'fast', prompt: 'How is it?' };
    const run = begin([{ kind: 'call', id: 'ask', component: 'model.answer', request: asks }]);
    expect(requestOf(run.requested('step/ask/1/1'))).toEqual({ ...asks, budgetUsd: 1, runId: run.runId });
    run.succeeds('step/ask/1/1', { text: 'fine', isCut: false, costUsd: 0.1 });
    expect(run.open()).toEqual(['end/1']);
  });
});

describe('what a run waits for', () => {
  it('is the answer of a person, which lets it go on or fails it', () => {
    const steps: Step[] = [
      { kind: 'approval', id: 'ask', askee: { kind: 'role', role: 'operator' }, text: 'Go on?' },
      {
        kind: 'choice',
        id: 'which',
        after: ['ask'],
        cases: [{ choice: 'yes', when: 'steps.ask.result.choice == "approve"' }],
      },
    ];
    for (const [choice, end] of [
      ['approve', 'end/1'],
      ['refuse', 'end/1/failed'],
    ] as const) {
      const run = begin(steps);
      const questionId = derivedId('workflow-question', run.runId, 'step/ask/1/1');
      expect(run.requested('step/ask/1/1')).toMatchObject({ type: 'workflow-run.ask', data: { questionId } });
      run.succeeds('step/ask/1/1');
      const answered = { taskId: null, runId: run.runId, choice, words: null, answeredBy: 'user:y', via: 'api' };
      run.receives('question', questionId, 'QuestionAnswered', answered);
      expect(run.open()).toEqual([end]);
    }
  });

  it('ends at its time, and the question is withdrawn', () => {
    const run = begin([
      { kind: 'approval', id: 'ask', askee: { kind: 'role', role: 'admin' }, text: 'x', timeoutSeconds: 5 },
    ]);
    run.succeeds('step/ask/1/1');
    run.succeeds('step/ask/1/1/timeout');
    expect(run.open()).toEqual(['stop/ask/1/1', 'end/1/failed']);
  });

  it('is an event of the right entry, which lets it go on or fails it', () => {
    const events = ['workledger.task.TaskCompleted', 'workledger.task.TaskFailed'];
    const seen = (type: string, round: number) => ({
      ...{ step: 'w', round, attempt: 1 },
      event: { id: newId(), type, stream: `task-${newId()}`, revision: 1, data: { reason: 'red' } },
    });
    const run = begin([{ kind: 'wait', id: 'w', events, failsOn: events.slice(1) }]);
    run.succeeds('step/w/1/1');
    run.receive('WorkflowRunEventSeen', seen('TaskCompleted', 2));
    expect(run.open()).toEqual([]);
    run.receive('WorkflowRunEventSeen', seen('TaskCompleted', 1));
    expect(run.open()).toEqual(['end/1']);

    const failing = begin([{ kind: 'wait', id: 'w', events, failsOn: events.slice(1) }]);
    failing.succeeds('step/w/1/1');
    failing.receive('WorkflowRunEventSeen', seen('TaskFailed', 1));
    expect(failing.requested('end/1/failed')).toMatchObject({
      data: { failure: { reason: expect.stringMatching(/^TaskFailed of task-.*: red$/) } },
    });
  });

  it('is the end of another run, which is cancelled with it and waited for', () => {
    const child = (run: { runId: string }): string => derivedId('workflow-run', run.runId, 'step/sub/1/1');
    const steps: Step[] = [{ kind: 'workflow', id: 'sub', workflow: newId(), inputs: { n: 1 } }];
    const run = begin(steps, { outputs: { of: { $from: '/steps/sub/result/x' } } });
    expect(run.requested('step/sub/1/1')).toMatchObject({ type: 'workflow-run.start-child', target: child(run) });
    run.succeeds('step/sub/1/1');
    run.receives('workflow-run', child(run), 'WorkflowRunCompleted', { outputs: { x: 7 } });
    expect(run.requested('end/1')).toMatchObject({ data: { outputs: { of: 7 } } });

    const stopped = begin(steps);
    stopped.succeeds('step/sub/1/1');
    stopped.receive('WorkflowRunCancelAsked');
    expect(stopped.open()).toEqual(['stop/sub/1/1']);
    stopped.succeeds('stop/sub/1/1');
    stopped.receives('workflow-run', child(stopped), 'WorkflowRunCancelled', { reason: 'so' });
    expect(stopped.open()).toEqual(['end/1/cancelled']);
  });
});
