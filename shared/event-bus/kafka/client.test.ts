import kafkajs from 'kafkajs';
import { expect, it } from 'vitest';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { createLogLines } from './client.ts';

const { ERROR, INFO } = kafkajs.logLevel;

function levelOf(message: string, level = ERROR, error?: string): unknown {
  const { logger, lines } = captureLog();
  const log = { timestamp: '', message, ...(error === undefined ? {} : { error }) };
  createLogLines(logger)(ERROR)({ namespace: 'Connection', level, label: '', log });
  return lines()[0]?.['level'];
}

it.each([
  ['Response InitProducerId(key: 22, version: 1)', 'The coordinator is loading and hence can’t process requests'],
  ['Response FindCoordinator(key: 10, version: 2)', 'The group coordinator is not available'],
  ['Response CreateTopics(key: 19, version: 3)', 'Topic with this name already exists'],
  ['Connection error: connect ECONNREFUSED 127.0.0.1:9092', undefined],
  ['The group is rebalancing, re-joining', undefined],
  ['Offset out of range, resetting to default offset', undefined],
])('takes "%s" for ordinary: the adapter deals with it', (message, error) => {
  expect(levelOf(message, ERROR, error)).toBe('debug');
});

it('warns of an error that it does not know, and says nothing of what is no error', () => {
  expect(levelOf('Response Produce(key: 0, version: 7)', ERROR, 'Message contents does not match its CRC')).toBe(
    'warn',
  );
  expect(levelOf('Consumer has joined the group', INFO)).toBe('debug');
});
