import { expect, test } from 'vitest';
import { readMetrics } from './validate.ts';

const of = (text: string) => readMetrics(Buffer.from(text));
const many = (count: number): string =>
  JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, index) => [`m${index}`, index])));

test('the last line that is not empty counts, when it is an object of numbers', () => {
  expect(of('{"a":1}\nmore\n{"a":2,"b":0.5}\n\n \n')).toEqual({ metrics: { a: 2, b: 0.5 } });
  expect(of('{"a":1}\r\n')).toEqual({ metrics: { a: 1 } });
});

test('an earlier line does not', () => {
  for (const text of ['{"a":1}\nbye\n', '{"a":1}\n{"a":"text"}\n', '{"a":1}\n{broken\n'])
    expect(of(text)).toMatchObject({ problem: expect.stringMatching(/printed no metrics: its last line/) });
});

test('what is no object of finite numbers is no metrics', () => {
  for (const text of ['', 'text', '{}', '[1]', '1', 'null', '{"a":null}', '{"a":1e999}', '{"a":{"b":1}}', '{"":1}'])
    expect(of(text)).toHaveProperty('problem');
});

test('more than fit an event are refused by their number, long names by their length', () => {
  expect(of(many(200))).toHaveProperty('metrics');
  expect(of(many(40_000))).toMatchObject({ problem: expect.stringMatching(/printed 40000 metrics: at most 200/) });
  expect(of(`{"${'x'.repeat(100)}":1}`)).toHaveProperty('metrics');
  expect(of(`{"${'x'.repeat(101)}":1}`)).toMatchObject({
    problem: expect.stringMatching(/longer than 100 characters/),
  });
});
