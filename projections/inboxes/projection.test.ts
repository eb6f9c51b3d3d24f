import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { inboxId, type InboxEvent } from '@workledger/shared/contexts/agent/inbox/events.ts';
import { history, timeOf } from '@workledger/infra/testing/events/history.ts';
import { expect, it } from 'vitest';
import { foldAll } from '../engine/fold-all.ts';
import { inboxes, receipts } from './projection.ts';

const participant = `agent:${newId()}`;
const id = inboxId(participant);
const [messageId, other] = [newId(), newId()];
const subscribed = (topic: string): InboxEvent => ({ type: 'TopicSubscribed', data: { participant, topic } });
const readUntil = (until: string, repositories: string[] | null): InboxEvent => ({
  type: 'InboxRead',
  data: { participant, until, repositories },
});
const recorded = (...events: InboxEvent[]) => history(streamName('inbox', id), events);

it('an inbox says its topics, each from where on', () => {
  const gone: InboxEvent = { type: 'TopicUnsubscribed', data: { participant, topic: 'builds' } };
  const rows = foldAll(inboxes, recorded(subscribed('builds'), subscribed('news'), gone, subscribed('builds')));
  expect(rows.get(id)).toMatchObject({
    topics: [
      { topic: 'news', since: '2', subscribedAt: timeOf(1) },
      { topic: 'builds', since: '4', subscribedAt: timeOf(3) },
    ],
  });
});

it('a mark of all takes the place of those that it goes beyond, and none goes back', () => {
  const marks = (...events: InboxEvent[]) =>
    (
      foldAll(inboxes, recorded(...events)).get(id) as unknown as {
        marks: { repository: string | null; until: string }[];
      }
    ).marks.map(({ repository, until }) => [repository, until]);
  const [a, b] = [readUntil('5', ['a', 'b']), readUntil('9', ['b'])];
  expect(marks(a, b)).toEqual([
    ['a', '5'],
    ['b', '9'],
  ]);
  expect(marks(a, b, readUntil('7', null))).toEqual([
    ['b', '9'],
    [null, '7'],
  ]);
  expect(marks(a, b, readUntil('10', null), readUntil('3', null), readUntil('8', ['b']))).toEqual([[null, '10']]);
});

it('a receipt says when a message came, and when it was read; the first time counts', () => {
  const delivered = (of: string): InboxEvent => ({
    type: 'InboxMessageDelivered',
    data: { participant, messageId: of },
  });
  const read = (of: string): InboxEvent => ({ type: 'InboxMessageRead', data: { participant, messageId: of } });
  const rows = foldAll(receipts, recorded(delivered(messageId), read(messageId), read(other), read(messageId)));
  const receipt = (of: string) => ({ id: `${id}/${of}`, participant, messageId: of });
  expect([...rows.values()]).toEqual([
    { ...receipt(messageId), revision: 3, deliveredAt: timeOf(0), readAt: timeOf(1) },
    { ...receipt(other), revision: 2, deliveredAt: timeOf(2), readAt: timeOf(2) },
  ]);
});
