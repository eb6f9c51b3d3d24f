import { history, timeOf } from '@workledger/infra/testing/events/history.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { WebhookEvent } from '@workledger/shared/contexts/sync/webhook/events.ts';
import { expect, it } from 'vitest';
import { foldAll } from '../engine/fold-all.ts';
import { webhooks } from './projection.ts';

const id = newId();
const madeBy = `key:${newId()}`;
const wishes = { name: 'chat', eventTypes: ['*'], repositories: ['shop'] };
const url = 'https://h.example.org/';
const created: WebhookEvent = {
  type: 'WebhookCreated',
  data: { ...wishes, url, reach: 'work', madeBy, secretId: newId(), from: '3' },
};
const rowOf = (...events: readonly WebhookEvent[]) => [
  ...foldAll(webhooks, history(streamName('webhook', id), [created, ...events])).values(),
];
const row = { ...{ id, reach: 'work', madeBy, oldSecretUntil: null }, ...wishes, createdAt: timeOf(0) };

it('says which events go, and neither where nor by which secret: the bus does not bring these', () =>
  expect(rowOf()).toEqual([{ ...row, revision: 0, status: 'active', reason: null, statusSince: timeOf(0) }]));

it('says why nothing is sent, and since when', () => {
  const paused: WebhookEvent = { type: 'WebhookPaused', data: { reason: 'it failed for 5 days' } };
  const stopped = { ...row, revision: 1, reason: 'it failed for 5 days', statusSince: timeOf(1) };
  expect(rowOf(paused)).toEqual([{ ...stopped, status: 'paused' }]);
  expect(rowOf({ ...paused, type: 'WebhookDisabled' })).toEqual([{ ...stopped, status: 'disabled' }]);
  const resumed = { ...row, revision: 2, status: 'active', reason: null, statusSince: timeOf(2) };
  expect(rowOf(paused, { type: 'WebhookResumed', data: {} })).toEqual([resumed]);
});

it('follows changes, and goes with its end', () => {
  const oldUntil = timeOf(9);
  const [changed] = rowOf(
    { type: 'WebhookChanged', data: { name: 'news', url, repositories: null } },
    { type: 'WebhookSecretRotated', data: { secretId: newId(), oldUntil } },
    { type: 'WebhookTestAsked', data: { askedBy: madeBy } },
  );
  expect(changed).toMatchObject({ name: 'news', repositories: null, oldSecretUntil: oldUntil, revision: 3 });
  expect(changed).not.toHaveProperty('url');
  expect(rowOf({ type: 'WebhookDeleted', data: {} })).toEqual([]);
});
