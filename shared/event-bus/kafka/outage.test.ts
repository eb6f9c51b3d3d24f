import { expect, it } from 'vitest';
import { captureLog } from '../../telemetry/testing/captured-logger.ts';
import { createOutage } from './outage.ts';

it('tells once that Kafka is away, whoever waits and however often, and once that it is back for all', () => {
  const { logger, lines } = captureLog('info');
  const outage = createOutage(logger);
  outage.worked('publisher');
  for (let attempt = 0; attempt < 3; attempt++) {
    outage.failed('group', new Error('refused'));
    outage.failed('publisher', new Error('refused'));
  }
  outage.worked('publisher');
  expect(lines().map(({ msg }) => msg)).toEqual(['waiting for Kafka']);
  outage.worked('group');
  outage.worked('group');
  expect(lines().map(({ msg }) => msg)).toEqual(['waiting for Kafka', 'Kafka is there again']);
});
