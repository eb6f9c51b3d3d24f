import { expect, test } from 'vitest';
import { metricsIn } from './metrics.ts';

const of = (text: string) => metricsIn(Buffer.from(text));

test('the last line that is an object of numbers counts', () => {
  expect(of('{"a":1}\nmore\n{"a":2,"b":0.5}\nbye\n')).toEqual({ a: 2, b: 0.5 });
  expect(of('{"a":1}\n{"a":"text"}\n{broken\n')).toEqual({ a: 1 });
});

test('what is no object of finite numbers is no metrics', () => {
  for (const text of ['', 'text', '{}', '[1]', '1', 'null', '{"a":null}', '{"a":1e999}', '{"a":{"b":1}}', '{"":1}'])
    expect(of(text)).toBeNull();
});
