import { configurationId } from '@workledger/shared/contexts/sync/configuration/events.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { expect, it } from 'vitest';
import { scenario } from '../engine/testing/scenario.ts';
import { installation } from './installation.ts';

const deliveryId = newId();
const seen = (...names: string[]) => ({
  environment: 'staging',
  installed: Object.fromEntries(names.map((name) => [name, { url: `https://h/${name}.git`, baseBranch: 'main' }])),
});

function told() {
  const run = scenario(installation);
  run.receives('delivery', deliveryId, 'DeliveryIgnored', { reason: 'it is looked at', installation: true });
  return run;
}

it('looks, takes what it saw, and looks once more', () => {
  const run = told();
  run.receivesAgain();
  expect(run.open()).toEqual(['take/1/1/look-1']);
  run.succeeds('take/1/1/look-1', seen('acme/shop'));
  expect(run.requested('take/1/1/take-1')).toMatchObject({
    ...{ type: 'configuration.take-installed', target: configurationId('staging'), data: seen('acme/shop') },
  });
  run.succeeds('take/1/1/take-1');
  run.succeeds('take/1/1/look-2', seen('acme/shop'));
  expect([run.open(), run.ended()]).toEqual([[], 'completed']);
});

it('takes what it sees then, where that is something else: another run may have taken what is newer, or older', () => {
  const run = told();
  run.succeeds('take/1/1/look-1', seen('acme/shop'));
  run.succeeds('take/1/1/take-1');
  run.succeeds('take/1/1/look-2', seen());
  expect(run.requested('take/1/1/take-2')).toMatchObject({ data: seen() });
  run.succeeds('take/1/1/take-2');
  expect(run.ended()).toBeNull();
  run.succeeds('take/1/1/look-3', seen());
  expect(run.ended()).toBe('completed');
});

it('begins with a delivery that tells of it, and with no other', () => {
  const correlated = (type: string, data: object) =>
    installation.correlate({ type, stream: streamName('delivery', deliveryId), data } as RecordedEvent);
  expect(correlated('DeliveryIgnored', { reason: 'it is looked at', installation: true })).toBe(deliveryId);
  expect(correlated('DeliveryIgnored', { reason: 'no rule' })).toBeNull();
  expect(correlated('DeliveryRouted', { installation: true })).toBeNull();
});

it('looks anew after a failure that may pass, and ends where it is refused', () => {
  const run = told();
  run.fails('take/1/1/look-1', true);
  run.succeeds('take/1/1/retry');
  run.succeeds('take/1/2/look-1', seen('acme/shop'));
  run.fails('take/1/2/take-1', false, 'too-large: 100001 bytes are set');
  expect([run.open(), run.ended()]).toEqual([[], 'failed']);
});

it('does not look for ever where it changes all the time', () => {
  const run = told();
  for (let number = 1; number <= 10; number++) {
    run.succeeds(`take/1/1/look-${number}`, seen(`acme/${number}`));
    run.succeeds(`take/1/1/take-${number}`);
  }
  expect(run.open()).toEqual(['take/1/1/retry']);
});
