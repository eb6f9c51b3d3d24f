import { describe, expect, it } from 'vitest';
import { faults, send, timer } from './testing.ts';

describe('a definition', () => {
  const inputs = { n: { type: 'integer' }, t: { type: 'string' }, o: { type: 'object' }, b: { type: 'boolean' } };
  const wait = (more: object) => ({ kind: 'wait', id: 'w', events: ['workledger.task.TaskDetailsChanged'], ...more });
  const choose = (when: string) => ({ kind: 'choice', id: 'c', cases: [{ choice: 'x', when }] });
  it.each([
    [
      'an input',
      [send('a', { data: { title: { $from: '/inputs/n' } } })],
      '/steps/0/data/title it is integer, where string is needed',
    ],
    [
      'an input within a list',
      [send('a', { data: { title: 'x', labels: ['x', { $from: '/inputs/b' }] } })],
      '/steps/0/data/labels/1 it is boolean, where string is needed',
    ],
    [
      'an expression',
      [send('a', { data: { title: { $cel: 'inputs.n + 1' } } })],
      '/steps/0/data/title it is integer, where string is needed',
    ],
    [
      'what a step answers',
      [send('a'), timer('b', { after: ['a'], seconds: { $from: '/steps/a/result/id' } })],
      '/steps/1/seconds it is string, where number is needed',
    ],
    [
      'an object for an id',
      [send('a', { command: 'task.cancel', data: {}, target: { $from: '/inputs/o' } })],
      '/steps/0/target it is object, where string is needed',
    ],
    [
      'what is no id',
      [send('a', { command: 'task.cancel', data: {}, target: 'the first' })],
      '/steps/0/target Invalid UUID',
    ],
    ['a number for an id', [wait({ of: { $from: '/inputs/n' } })], '/steps/0/of it is integer, where string is needed'],
    [
      'a number for words',
      [{ kind: 'approval', id: 'a', askee: { kind: 'role', role: 'admin' }, text: { $from: '/inputs/n' } }],
      '/steps/0/text it is integer, where string is needed',
    ],
    ['a condition that is a text', [choose('"abc"')], '/steps/0/cases/0/when it is string, where boolean is needed'],
    [
      'a condition that is a number',
      [choose('inputs.n')],
      '/steps/0/cases/0/when it is integer, where boolean is needed',
    ],
    [
      'what a timer answers',
      [timer('a'), timer('b', { after: ['a'], seconds: { $from: '/steps/a/result/n' } })],
      '/steps/1/seconds/$from there is no n in /steps/a/result: it has no fields',
    ],
    [
      'a field that no command answers',
      [send('a'), timer('b', { after: ['a'], seconds: { $cel: 'size(steps.a.result.title)' } })],
      '/steps/1/seconds/$cel there is no title in /steps/a/result: it has id, stream, revision, token, details',
    ],
    [
      'a field that no component answers',
      [
        { kind: 'call', id: 'a', component: 'http.request', request: { url: 'https://example.org/' } },
        send('b', { after: ['a'], data: { title: { $from: '/steps/a/result/text' } } }),
      ],
      '/steps/1/data/title/$from there is no text in /steps/a/result: it has status, body',
    ],
    [
      'a field that no such event has',
      [wait({}), send('b', { after: ['w'], data: { title: { $from: '/steps/w/result/data/name' } } })],
      '/steps/1/data/title/$from there is no name in /steps/w/result/data',
    ],
    [
      'a field of what has none',
      [timer('a', { seconds: { $from: '/inputs/n/x' } })],
      '/steps/0/seconds/$from there is no x in /inputs/n',
    ],
    [
      'a field of the run that is none',
      [send('a', { data: { title: { $from: '/run/name' } } })],
      '/steps/0/data/title/$from there is no name in /run: it has id, startedBy',
    ],
    [
      'a field that the event does not tell',
      [wait({ where: [{ field: '/name', equals: 'x' }] })],
      '/steps/0/where/0/field no event that it waits for tells /name',
    ],
    [
      'a field that can be no such thing',
      [wait({ where: [{ field: '/title', equals: 7 }] })],
      '/steps/0/where/0/equals it is integer, where string is needed',
    ],
    [
      'a field that can be no such input',
      [wait({ where: [{ field: '/title', equals: { $from: '/inputs/n' } }] })],
      '/steps/0/where/0/equals it is integer, where string is needed',
    ],
  ])('is refused where a type does not fit: %s', (_, steps, expected) =>
    expect(faults(steps, { inputs })).toEqual([expected]),
  );

  it('is taken where a type may fit', () => {
    const events = ['TaskDetailsChanged', 'TaskCompleted'].map((type) => `workledger.task.${type}`);
    const steps = [
      { kind: 'call', id: 'ask', component: 'http.request', request: { url: 'https://example.org/', body: { $from: '/inputs/o' } } }, // prettier-ignore
      wait({ events, where: [{ field: '/result/merged', equals: true }], after: ['ask'] }),
      send('made', {
        after: ['w'],
        data: {
          title: { $from: '/steps/ask/result/body/deep/0' },
          description: { $cel: 'has(steps.w.result.none) ? "x" : inputs.o.words' },
          priority: { $cel: 'inputs.n + 1' },
          assignee: { $from: '/inputs/maybe' },
          metadata: { commit: { $from: '/steps/w/result/data/result/commit' } },
        },
      }),
      { kind: 'workflow', id: 'sub', workflow: '0190a000-0000-7000-8000-000000000001', inputs: { n: { $from: '/inputs/n' } } }, // prettier-ignore
      { ...choose('steps.sub.result.good && steps.ask.result.status == 200'), after: ['sub', 'ask'] },
      timer('rest', { after: ['c'], seconds: { $cel: 'inputs.f * 2.0' } }),
    ];
    const more = { ...inputs, f: { type: 'number' }, maybe: { type: 'string', required: false } };
    expect(faults(steps, { inputs: more })).toEqual([]);
  });
});
