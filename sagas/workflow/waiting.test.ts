import { derivedId, newId } from '@workledger/shared/contexts/stream.ts';
import type { Step } from '@workledger/shared/contexts/task/workflow/definition.ts';
import { describe, expect, it } from 'vitest';
import { begin, send, undoOf } from './testing.ts';

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

  it('fails it once: taken up again, the next event lets it go on', () => {
    const events = ['workledger.task.TaskCompleted', 'workledger.task.TaskFailed'];
    const seen = (type: string, round: number) => ({
      ...{ step: 'w', round, attempt: 1 },
      event: { id: newId(), type, stream: `task-${newId()}`, revision: round, data: {} },
    });
    const run = begin([{ kind: 'wait', id: 'w', events, failsOn: events.slice(1) }]);
    run.succeeds('step/w/1/1');
    run.receive('WorkflowRunEventSeen', seen('TaskFailed', 1));
    run.succeeds('end/1/failed');
    run.receive('WorkflowRunRetried', { from: [] });
    expect(run.requested('step/w/2/1')).toMatchObject({ type: 'workflow-run.await', data: { step: 'w', round: 2 } });
    run.succeeds('step/w/2/1');
    run.receive('WorkflowRunEventSeen', seen('TaskFailed', 1));
    expect(run.open()).toEqual([]);
    run.receive('WorkflowRunEventSeen', seen('TaskCompleted', 2));
    run.succeeds('end/2');
    expect(run.ended()).toBe('completed');
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

describe('a step that does not end within its time', () => {
  const failure = (id: string) => ({ data: { failure: { step: id, reason: 'no end within 5 s' } } });

  it('that sends a command is tried again, and in the end undone where the command took effect all the same', () => {
    const run = begin([send('a', { timeoutSeconds: 5, retry: { attempts: 2 }, compensation: undoOf('a') })]);
    expect(run.open()).toEqual(['step/a/1/1', 'step/a/1/1/timeout']);
    run.succeeds('step/a/1/1/timeout');
    run.succeeds('step/a/1/1/retry');
    run.succeeds('step/a/1/2/timeout');
    expect(run.open()).toEqual(['step/a/1/1', 'step/a/1/2']);
    const id = newId();
    for (const attempt of [1, 2]) run.succeeds(`step/a/1/${attempt}`, { id });
    expect(run.requested('undo/a/1/1')).toMatchObject({ data: { type: 'task.cancel', target: id } });
    run.succeeds('undo/a/1/1');
    expect(run.requested('end/1/failed')).toMatchObject(failure('a'));
  });

  it('that waits for an event waits anew, as another entry, and then fails', () => {
    const events = ['workledger.task.TaskCompleted'];
    const run = begin([{ kind: 'wait', id: 'w', events, timeoutSeconds: 5, retry: { attempts: 2 } }]);
    run.succeeds('step/w/1/1');
    run.succeeds('step/w/1/1/timeout');
    run.succeeds('step/w/1/1/retry');
    expect(run.requested('step/w/1/2')).toMatchObject({ data: { step: 'w', round: 1, attempt: 2 } });
    run.succeeds('step/w/1/2');
    run.succeeds('step/w/1/2/timeout');
    expect(run.requested('end/1/failed')).toMatchObject(failure('w'));
  });

  it('that runs another workflow cancels that, and ends after it', () => {
    const run = begin([{ kind: 'workflow', id: 'sub', workflow: newId(), timeoutSeconds: 5 }]);
    const child = derivedId('workflow-run', run.runId, 'step/sub/1/1');
    run.succeeds('step/sub/1/1');
    run.succeeds('step/sub/1/1/timeout');
    expect(run.requested('stop/sub/1/1')).toMatchObject({ type: 'workflow-run.cancel', target: child });
    run.succeeds('stop/sub/1/1');
    expect(run.open()).toEqual([]);
    run.receives('workflow-run', child, 'WorkflowRunCancelled', { reason: 'its step has ended' });
    expect(run.requested('end/1/failed')).toMatchObject(failure('sub'));
  });
});
