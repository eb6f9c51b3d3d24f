import { describe, expect, it } from 'vitest';
import { ExpressionFailed, readExpression } from './expression.ts';

const scope = {
  inputs: { count: 5, rate: 1.5, name: 'ab', list: [1, 2, 3], items: [{ id: 'x', size: 2 }], nothing: null },
  steps: { build: { result: { ok: true, files: 3 } } },
  run: { id: 'r', startedBy: 'user:1' },
};
const answer = (text: string): unknown => readExpression(text).evaluate(scope);

describe('an expression', () => {
  it.each([
    ['inputs.count > 3', true],
    ['inputs.count + 1', 6],
    ['inputs.rate * 2', 3],
    ['inputs.name + "c"', 'abc'],
    ['steps.build.result.ok && steps["build"].result.files == 3', true],
    ['inputs.list.filter(n, n > 1).map(n, n * 2)', [4, 6]],
    ['inputs.items.exists(item, item.id == "x" && item.size < 3)', true],
    ['has(inputs.absent) ? 1 : 2', 2],
    ['{"of": run.id, "list": [inputs.nothing, 1]}', { of: 'r', list: [null, 1] }],
  ])('%s', (text, expected) => expect(answer(text)).toEqual(expected));

  it('tells which steps and inputs it names', () => {
    const { steps, inputs } = readExpression('steps.a.result > 1 || inputs.list.all(x, x < steps["b"].result)');
    expect({ steps, inputs }).toEqual({ steps: ['a', 'b'], inputs: ['list'] });
  });

  it('tells what it looks at, and what it answers as far as its words tell', () => {
    const { paths } = readExpression('run.id == inputs.a["b"].c || has(steps.s.result.n) || inputs.l.all(x, x.y == 1)');
    expect(paths).toEqual([
      ['run', 'id'],
      ['inputs', 'a', 'b', 'c'],
      ['inputs', 'l'],
    ]);
    const answers = [
      '1 + 1',
      '[1]',
      'inputs.n',
      'inputs.n + 1',
      'size(inputs.n) * 1.5',
      '-inputs.n',
      'true && inputs.b',
    ];
    expect(answers.map((text) => readExpression(text).answers)).toEqual([
      ...[
        { type: 'integer' },
        { type: 'array' },
        ['inputs', 'n'],
        { type: 'integer' },
        { type: 'number' },
        {},
        { type: 'boolean' },
      ],
    ]);
  });

  it.each([
    ['1 +', /./],
    ['inputs', 'name what of inputs'],
    ['steps[inputs.name].result', 'name one of steps'],
    ['process.exit()', 'there is no function exit'],
    ['constructor', 'there is no constructor'],
    ['inputs.name.matches("(a+)+$")', 'there is no function matches'],
    ['inputs.list.map(x, inputs.list.map(y, x))', 'within another'],
    ['(inputs.list + inputs.list).map(x, x)', 'on a list of inputs'],
    ['inputs.list.map(x, inputs.list).map(x, x)', 'on a list of inputs'],
    ['cel.bind(x, 1, x)', 'there is no function bind'],
    ['1 + "a"', /no such overload/],
    [`inputs.name == "${'x'.repeat(1_000)}"`, 'characters at most'],
  ])('%s is refused when it is read', (text, reason) => expect(() => readExpression(text)).toThrow(reason));

  it.each([
    ['inputs.absent == 1', 'No such key'],
    ['inputs.name * 2', 'no such overload'],
    ['inputs.constructor', 'No such key'],
    ['inputs.count / 0', 'division by zero'],
  ])('%s fails in words', (text, reason) => {
    expect(() => answer(text)).toThrow(ExpressionFailed);
    expect(() => answer(text)).toThrow(reason);
  });

  it('goes through no list that is too long', () => {
    const long = { ...scope, inputs: { list: Array.from({ length: 1_001 }, () => 1) } };
    expect(() => readExpression('inputs.list.all(x, x > 0)').evaluate(long)).toThrow('of 1000 at most');
    expect(readExpression('size(inputs.list)').evaluate(long)).toBe(1_001);
  });
});
