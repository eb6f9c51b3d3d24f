import { newId } from '@workledger/shared/contexts/stream.ts';
import type { Step } from '@workledger/shared/contexts/task/workflow/definition.ts';
import { describe, expect, it } from 'vitest';
import { commentOn } from '../components/github/issue.ts';
import { tell } from '../components/slack/tell.ts';
import { begin, send, timer, undoOf } from './testing.ts';

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
      send('a', { compensation: undoOf('a') }),
      send('b', { after: ['a'], compensation: undoOf('b') }),
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
    const run = begin([send('a', { compensation: undoOf('a') }), timer('b'), timer('c', { after: ['a'] })]);
    run.receive('WorkflowRunCancelAsked');
    expect(run.open()).toEqual(['step/a/1/1']);
    run.succeeds('step/a/1/1', { id: newId() });
    expect(run.open()).toEqual(['undo/a/1/1']);
    run.succeeds('undo/a/1/1');
    expect(run.open()).toEqual(['end/1/cancelled']);
  });

  it('is taken up again with what failed and what was undone, and keeps the rest', () => {
    const run = begin([
      send('a', { compensation: undoOf('a') }),
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

  it('is taken up again from steps that had succeeded, too, with all after them, and keeps the rest', () => {
    const run = begin([
      send('a'),
      send('b', { after: ['a'] }),
      send('c', { after: ['b'] }),
      send('k', { after: ['a'] }),
      timer('last', { after: ['c', 'k'] }),
    ]);
    for (const id of ['a', 'b', 'k']) run.succeeds(`step/${id}/1/1`, { id: newId() });
    run.fails('step/c/1/1');
    run.succeeds('end/1/failed');
    run.receive('WorkflowRunRetried', { from: ['b'] });
    expect(run.open()).toEqual(['step/b/2/1']);
    run.succeeds('step/b/2/1', { id: newId() });
    expect(run.open()).toEqual(['step/c/2/1']);
    run.succeeds('step/c/2/1');
    run.succeeds('step/last/1/1');
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
  it('is one message on Slack, in the words of what sends it', () => {
    const asks = { repository: 'shop', channel: 'C0123ABCD', text: 'Done' };
    for (const [more, place] of [
      [{}, 'C0123ABCD'],
      [{ thread: '1700000000.000001' }, 'C0123ABCD/1700000000.000001'],
    ] as const) {
      const steps: Step[] = [{ kind: 'call', id: 'say', component: 'slack.message', request: { ...asks, ...more } }];
      const run = begin(steps, {}, {}, { repositories: null });
      const effect = run.requested('step/say/1/1');
      expect(effect).toMatchObject({ component: 'slack.tell' });
      const { taskId, runId, about, text, ...said } = tell.request.parse(requestOf(effect));
      expect({ about, text, place: said.place, repository: said.repository }).toEqual({
        ...{ about: 'workflow/say', text: 'Done', place, repository: 'shop' },
      });
      expect([taskId, runId]).toEqual([run.runId, run.runId]);
      run.succeeds('step/say/1/1', { outcome: 'off', id: null });
      expect(run.open()).toEqual(['end/1']);
    }
  });
  it('has its time with it, and is tried again after it as after every fault that passes', () => {
    const run = begin([{ ...comment, timeoutSeconds: 7 }], {}, { words: 'Hello' });
    expect(run.requested('step/say/1/1')).toMatchObject({ kind: 'call', timeoutSeconds: 7 });
    run.fails('step/say/1/1', true, 'no answer within 7 s');
    run.succeeds('step/say/1/1/retry');
    run.fails('step/say/1/2', true, 'no answer within 7 s');
    expect(run.requested('end/1/failed')).toMatchObject({ data: { failure: { reason: 'no answer within 7 s' } } });
  });
});
