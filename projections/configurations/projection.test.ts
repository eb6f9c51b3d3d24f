import { history, timeOf } from '@workledger/infra/testing/events/history.ts';
import { configurationId, type ConfigurationEvent } from '@workledger/shared/contexts/sync/configuration/events.ts';
import { streamName } from '@workledger/shared/contexts/stream.ts';
import { expect, it } from 'vitest';
import { foldAll } from '../engine/fold-all.ts';
import { configurationRevisions, configurations } from './projection.ts';

const id = configurationId('staging');
const common = { environment: 'staging', reason: 'asked for', changedBy: 'user:1' } as const;
const lease = { path: '/limits/leaseSeconds', value: 90 };
const events: ConfigurationEvent[] = [
  { type: 'ConfigurationRevised', data: { ...common, changes: [lease], content: { limits: { leaseSeconds: 90 } } } },
  {
    type: 'ConfigurationRevised',
    data: {
      ...common,
      changes: [{ path: '/limits/drainSeconds', value: 5 }],
      content: { limits: { leaseSeconds: 90, drainSeconds: 5 } },
    },
  },
  {
    type: 'ConfigurationRevised',
    data: {
      ...{ ...common, changes: [{ path: '/limits/leaseSeconds' }], rolledBackTo: 7 },
      content: { limits: { drainSeconds: 5 } },
    },
  },
];
const recorded = history(streamName('configuration', id), events);

it('says what is set for an environment, and which revision set it', () =>
  expect([...foldAll(configurations, recorded).values()]).toEqual([
    {
      ...{ id, revision: 2, environment: 'staging', changedBy: 'user:1', changedAt: timeOf(2) },
      ...{ content: { limits: { drainSeconds: 5 } }, since: { '/limits/drainSeconds': 1 } },
    },
  ]));

it('keeps each revision whole, with what changed, by whom and why', () => {
  const rows = [...foldAll(configurationRevisions, recorded).values()];
  expect(rows).toMatchObject([
    { id: `configuration-${id}@0`, revision: 0, changes: [lease], rolledBackTo: null, changedAt: timeOf(0) },
    { revision: 1, content: { limits: { leaseSeconds: 90, drainSeconds: 5 } } },
    { revision: 2, rolledBackTo: 7, reason: 'asked for', changedBy: 'user:1' },
  ]);
});
