import { expect, test } from 'vitest';
import { childTraceparent, formatTraceparent, newTraceparent, parseTraceparent } from './traceparent.ts';

// Examples of https://www.w3.org/TR/trace-context/#examples-of-http-traceparent-headers
const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
const span = '00f067aa0ba902b7';

test('reads what the standard gives as examples', () => {
  expect(parseTraceparent(`00-${trace}-${span}-01`)).toEqual({ traceId: trace, parentId: span, sampled: true });
  expect(parseTraceparent(`00-${trace}-${span}-00`)).toEqual({ traceId: trace, parentId: span, sampled: false });
});

test('reads a future version as far as it knows it', () => {
  expect(parseTraceparent(`cc-${trace}-${span}-01-what-the-future-holds`)).toMatchObject({ traceId: trace });
});

test.each([
  ['absent', undefined],
  ['empty', ''],
  ['version ff', `ff-${trace}-${span}-01`],
  ['version 00 with more', `00-${trace}-${span}-01-x`],
  ['upper case', `00-${trace.toUpperCase()}-${span}-01`],
  ['no trace', `00-${'0'.repeat(32)}-${span}-01`],
  ['no span', `00-${trace}-${'0'.repeat(16)}-01`],
  ['too short', `00-${trace.slice(1)}-${span}-01`],
])('does not take what is not valid: %s', (_, header) => {
  expect(parseTraceparent(header)).toBeNull();
});

test('a child is another span of the same trace', () => {
  const parent = newTraceparent();
  const child = childTraceparent(parent);
  expect(child.traceId).toBe(parent.traceId);
  expect(child.parentId).not.toBe(parent.parentId);
  expect(parseTraceparent(formatTraceparent(child))).toEqual(child);
});

test('without a parent a new trace begins', () => {
  expect(childTraceparent(null).traceId).toMatch(/^[0-9a-f]{32}$/);
});
