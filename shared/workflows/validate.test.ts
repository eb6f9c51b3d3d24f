import fc from 'fast-check';
import { definition } from '../contexts/task/workflow/definition.ts';
import { describe, expect, it } from 'vitest';
import { findCycle, orderOf, surelyBegun, withAllAfter } from './graph.ts';
import { childFaults, givenInputs } from './inputs.ts';
import { nameFaults } from './names.ts';
import { templates } from './templates.ts';
import { faults, send, timer } from './testing.ts';
import { beyondRole, faultsOf } from './validate.ts';

describe('a definition', () => {
  it.each([
    ['two steps of one name', [timer('a'), timer('a')], '/steps/1/id there are two steps a'],
    ['a step that is not there', [timer('a', { after: ['b'] })], '/steps/0/after/0 there is no step b'],
    [
      'a choice of what is none',
      [timer('a'), timer('b', { after: [{ step: 'a', choice: 'x' }] })],
      '/steps/1/after/0/choice a is no choice',
    ],
    [
      'a step that waits for itself',
      [timer('a', { after: ['a'] })],
      '/steps/0/after these steps wait for one another: a → a',
    ],
    [
      'a result of what does not come before',
      [timer('a'), timer('b', { seconds: { $from: '/steps/a/result/n' } })],
      '/steps/1/seconds/$from step a does not come before',
    ],
    [
      'an input that is not declared',
      [timer('a', { seconds: { $cel: 'inputs.n + 1' } })],
      '/steps/0/seconds/$cel there is no input n',
    ],
    [
      'a pointer that is none',
      [timer('a', { seconds: { $from: 'inputs/n' } })],
      '/steps/0/seconds/$from inputs/n: a JSON pointer begins with /, and ~ is written ~0',
    ],
    [
      'an unknown command',
      [send('a', { command: 'key.create' })],
      /^\/steps\/0\/command workflows send no command key.create: .*task.create/,
    ],
    [
      'an unknown component',
      [{ kind: 'call', id: 'a', component: 'code.merge', request: {} }],
      '/steps/0/component workflows call no component code.merge: http.request, model.answer, github.comment, slack.message',
    ],
    [
      'a request of the wrong type',
      [{ kind: 'call', id: 'a', component: 'http.request', request: { url: 5 } }],
      '/steps/0/request/url Invalid input: expected string, received number',
    ],
    ['an unknown field', [send('a', { data: { title: 'x', colour: 'red' } })], '/steps/0/data/colour unknown field'],
    [
      'a missing field',
      [send('a', { data: {} })],
      '/steps/0/data/title Invalid input: expected string, received undefined',
    ],
    [
      'a target where a command makes one',
      [send('a', { target: 'x' })],
      '/steps/0/target task.create makes what it is for: leave it out',
    ],
    [
      'no target where a command needs one',
      [send('a', { command: 'task.cancel', data: {} })],
      '/steps/0/target task.cancel needs the id of what it is for',
    ],
    [
      'an event that is none',
      [{ kind: 'wait', id: 'a', events: ['workledger.task.Nothing'] }],
      '/steps/0/events/0 there is no event workledger.task.Nothing',
    ],
    [
      'an event of people',
      [{ kind: 'wait', id: 'a', events: ['workledger.key.KeyCreated'] }],
      /^\/steps\/0\/events\/0 no workflow waits for events of key/,
    ],
    [
      'what looks like a placeholder',
      [send('a', { data: { title: { $form: '/inputs/x' } } })],
      /^\/steps\/0\/data\/title what begins with \$ is/,
    ],
    [
      'an undoing that names what comes later',
      [
        send('a', {
          compensation: { kind: 'command', command: 'task.cancel', target: { $from: '/steps/b/result/id' } },
        }),
        timer('b', { after: ['a'] }),
      ],
      '/steps/0/compensation/target/$from step b does not come before',
    ],
  ])('is refused with %s', (_, steps, expected) =>
    expect(faults(steps as object[])).toEqual([
      expect.stringMatching(
        typeof expected === 'string'
          ? new RegExp(`^${expected.replaceAll(/[$^+/.()[\]|]/g, String.raw`\$&`)}$`)
          : expected,
      ),
    ]),
  );

  it('may leave to the run what only the run knows', () => {
    const steps = [
      send('a', {
        data: { title: { $from: '/inputs/t' }, priority: { $cel: 'inputs.n' }, labels: ['x', { $from: '/inputs/t' }] },
      }),
      send('b', { command: 'task.cancel', after: ['a'], target: { $from: '/steps/a/result/id' }, data: {} }),
    ];
    const inputs = { t: { type: 'string' }, n: { type: 'integer', default: 2 } };
    expect(faults(steps, { inputs, outputs: { id: { $from: '/steps/b/result/id' } } })).toEqual([]);
  });

  it.each(templates.map((template) => [template.name, template] as const))('of template %s can run', (_, template) => {
    expect(faultsOf(definition.parse(template.definition))).toEqual([]);
  });

  it('tells what a role may not do', () => {
    const steps = [send('a'), send('b', { command: 'comment.create', data: {} })];
    const read = definition.parse({ name: 'w', steps });
    expect(beyondRole(read, 'agent').map(({ at }) => at)).toEqual(['/steps/0/command']);
    expect(beyondRole(read, 'admin')).toEqual([]);
  });
});

it('what a run is given is judged, and what is left out is filled in', () => {
  const inputs = { a: { type: 'string' }, n: { type: 'integer', default: 2 }, o: { type: 'object', required: false } };
  const read = definition.parse({ name: 'w', steps: [timer('t')], inputs });
  expect(givenInputs(read, { a: 'x' })).toEqual({ inputs: { a: 'x', n: 2, o: null }, faults: [] });
  expect(givenInputs(read, { a: 1, b: 2 }).faults.map(({ at }) => at)).toEqual(['/inputs/b', '/inputs/a']);
});

it('what a sub-workflow is given is judged before it runs, as far as it is known', () => {
  const inputs = { a: { type: 'string' }, n: { type: 'integer', default: 2 }, o: { type: 'array', required: false } };
  const child = definition.parse({ name: 'child', steps: [timer('t')], inputs });
  const parent = definition.parse({ name: 'w', steps: [send('s')], inputs: { n: { type: 'integer' } } });
  const given = (values: object) =>
    childFaults(child, values as Parameters<typeof childFaults>[1], parent).map(({ at, reason }) => `${at} ${reason}`);
  expect(given({ a: 'x', n: 3, o: null })).toEqual([]);
  expect(given({ a: { $from: '/steps/s/result/id' }, n: { $cel: 'inputs.n' }, o: [{ $from: '/inputs/n' }] })).toEqual(
    [],
  );
  expect(given({})).toEqual(['/a it is missing']);
  expect(given({ a: 1, b: 'x', n: null })).toEqual([
    ...['/b the workflow has no such input', '/a it is no string', '/n it is no integer'],
  ]);
  expect(given({ a: { $from: '/inputs/n' }, o: { $cel: '"x"' } })).toEqual([
    ...['/a it is integer, where string is needed', '/o it is string, where array or null is needed'],
  ]);
});

it('what a definition names is configured, where it stands literally', () => {
  const call = (component: string, request: object) => ({ kind: 'call', id: component.replace('.', '_'), component, request }); // prettier-ignore
  const steps = (repository: unknown, model: unknown, url: unknown) => {
    const undo = { kind: 'call', component: 'http.request', request: { url } };
    return [
      call('http.request', { url }),
      call('model.answer', { model, prompt: 'x' }),
      call('github.comment', { repository, number: 1, text: 'x' }),
      call('slack.message', { repository, channel: 'C0123ABCD', text: 'x' }),
      send('a', { data: { title: 'x', repository }, compensation: undo }),
      send('b', { command: 'task.expand', target: '0190a000-0000-7000-8000-000000000001', data: { subtasks: [{ title: 'x', repository }] } }), // prettier-ignore
    ];
  };
  const workflows = { allowHosts: ['a.example:443', 'b.example:80'] };
  const named = { repositories: [{ name: 'shop' }], models: [{ name: 'fast' }], workflows };
  const at = (...given: Parameters<typeof steps>) =>
    nameFaults(definition.parse({ name: 'w', steps: steps(...given) }), named).map((fault) => fault.at);
  const left = { $from: '/inputs/x' };
  expect(at('shop', 'fast', 'https://A.example/x')).toEqual([]);
  expect(at(left, left, left)).toEqual([]);
  expect(at('none', 'none', 'https://none.example/')).toEqual([
    ...['/steps/0/request/url', '/steps/1/request/model', '/steps/2/request/repository', '/steps/3/request/repository'],
    ...['/steps/4/data/repository', '/steps/4/compensation/request/url', '/steps/5/data/subtasks/0/repository'],
  ]);
  for (const url of ['https://a.example:8443/', 'https://user:x@a.example/', 'http://b.example/'])
    expect(at('shop', 'fast', url)).toEqual(['/steps/0/request/url', '/steps/4/compensation/request/url']);
});

it('what begins in any case is what no choice leads past', () => {
  const steps = [
    timer('late', { after: ['both'] }),
    { kind: 'choice', id: 'which', cases: [{ choice: 'x', when: 'true' }], otherwise: 'y' },
    timer('x', { after: [{ step: 'which', choice: 'x' }] }),
    timer('first'),
    timer('both', { after: ['which', 'first'] }),
    timer('any', { after: ['x', 'first'], join: 'any' }),
    timer('all', { after: ['x', 'first'] }),
  ];
  const read = definition.parse({ name: 'w', steps });
  expect([...surelyBegun(read.steps)].toSorted()).toEqual(['any', 'both', 'first', 'late', 'which']);
});

/** Steps that wait for earlier ones only, in any order of the list. */
const graphs = fc.array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: 1, maxLength: 60 }).chain((links) => {
  const steps = links.map((before, index) => ({
    ...timer(`s${index}`),
    after: index === 0 ? [] : [...new Set(before.map((number) => `s${number % index}`))],
  }));
  return fc.shuffledSubarray(steps, { minLength: steps.length, maxLength: steps.length });
});

describe('whatever the graph', () => {
  it('without a cycle it is taken, and what comes before is known', () =>
    fc.assert(
      fc.property(graphs, (steps) => {
        expect(faults(steps)).toEqual([]);
        const order = orderOf(steps);
        for (const { id, after } of steps)
          for (const earlier of after) {
            expect(order.isBefore(earlier, id)).toBe(true);
            expect(withAllAfter(steps as never, [earlier]).has(id)).toBe(true);
          }
      }),
    ));

  it('with a cycle it is refused, and every step of the cycle waits for the next', () =>
    fc.assert(
      fc.property(graphs, fc.nat(), (steps, chosen) => {
        const last = steps[chosen % steps.length]!;
        const first = [...withAllAfter(steps, [last.id])].at(-1)!;
        const closed = steps.map((step) => (step.id === last.id ? { ...step, after: [...step.after, first] } : step));
        const cycle = findCycle(closed);
        expect(cycle).not.toBeNull();
        expect(cycle?.[0]).toBe(cycle?.at(-1));
        for (const [index, id] of (cycle ?? []).entries()) {
          const next = cycle?.[index + 1];
          if (next !== undefined) expect(closed.find((step) => step.id === next)?.after).toContain(id);
        }
        expect(faults(closed)).toHaveLength(1);
      }),
    ));
});
