import { expect, test } from 'vitest';
import { readableLine } from './service-process.ts';

test('tells warnings and errors in a line with their reason', () => {
  const warning =
    '{"level":"warn","service":"relay","reason":"connect ECONNREFUSED","msg":"kafka is not there: waiting for it"}';
  expect(readableLine('relay', warning)).toBe('relay: kafka is not there: waiting for it (connect ECONNREFUSED)');
  const error = '{"level":"error","err":{"message":"no such table\\nat line 1"},"msg":"batch failed"}';
  expect(readableLine('projections-2', error)).toBe('projections-2: batch failed (no such table)');
});

test('leaves the rest to the log file', () => {
  expect(readableLine('relay', '{"level":"info","msg":"started"}')).toBeNull();
  expect(readableLine('relay', '')).toBeNull();
});

test('hands on what is no log line: a program that cannot start says why in its own words', () => {
  expect(readableLine('sagas', 'environment: KAFKA_BROKERS: not set')).toBe(
    'sagas: environment: KAFKA_BROKERS: not set',
  );
});
