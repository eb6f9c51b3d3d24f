import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { MessageEvent } from '@workledger/shared/contexts/agent/message/events.ts';
import { history, timeOf } from '@workledger/infra/testing/events/history.ts';
import { expect, it } from 'vitest';
import { foldAll } from '../engine/fold-all.ts';
import { messages } from './projection.ts';

const [id, from, participant] = [newId(), `key:${newId()}`, `agent:${newId()}`];
const words = {
  ...{ messageType: 'build.report', typeNumber: 2, subject: 'built', body: 'well', content: '{"ok":true}' },
  ...{ repository: 'mine', taskId: newId(), replyTo: null },
};
const sent: MessageEvent = { type: 'MessageSent', data: { from, to: { kind: 'participant', participant }, ...words } };
const read: MessageEvent = { type: 'MessageRead', data: { participant, from } };
const rows = (...events: MessageEvent[]) => [...foldAll(messages, history(streamName('message', id), events)).values()];

it('says what was sent to whom, and when it was read; what was read has come', () => {
  expect(rows(sent, read)).toEqual([
    {
      ...{ id, revision: 1, position: '1', sender: from, address: participant, ...words },
      ...{ sentAt: timeOf(0), deliveredAt: timeOf(1), readAt: timeOf(1) },
    },
  ]);
});

it('has one address for a topic, and one for all', () => {
  const to = (recipient: { kind: 'topic'; topic: string } | { kind: 'all' }): MessageEvent => ({
    type: 'MessageSent',
    data: { from, to: recipient, ...words },
  });
  expect(rows(to({ kind: 'topic', topic: 'builds' }))).toMatchObject([{ address: 'topic:builds' }]);
  expect(rows(to({ kind: 'all' }))).toMatchObject([{ address: 'all' }]);
});

it('what was forgotten does not come back when it is confirmed', () => {
  const [, confirmed] = history(streamName('message', id), [sent, read]);
  expect(messages.fold(undefined, confirmed!, id)).toBeUndefined();
});
