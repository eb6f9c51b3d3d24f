import { given } from '@workledger/shared/aggregate/testing.ts';
import type { InboxEvent } from '@workledger/shared/contexts/agent/inbox/events.ts';
import { inboxFold } from '@workledger/shared/contexts/agent/inbox/state.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inbox } from './inbox.ts';

const participant = `agent:${newId()}`;
const own = { actor: participant };
const messageId = newId();
const subscribed = (topic: string): InboxEvent => ({ type: 'TopicSubscribed', data: { participant, topic } });
const unsubscribed = (topic: string): InboxEvent => ({ type: 'TopicUnsubscribed', data: { participant, topic } });
const delivered: InboxEvent = { type: 'InboxMessageDelivered', data: { participant, messageId } };
const read: InboxEvent = { type: 'InboxMessageRead', data: { participant, messageId } };
const confirm = (isRead: boolean, topic: string | null = null) => ({ messageId, topic, read: isRead });

describe('an inbox', () => {
  it('is subscribed to a topic, once', () => {
    given(inbox).when('inbox.subscribe', { topic: 'builds' }, own).then(subscribed('builds'));
    given(inbox, subscribed('builds')).when('inbox.subscribe', { topic: 'builds' }, own).then();
  });
  it('is unsubscribed, once', () => {
    given(inbox, subscribed('builds')).when('inbox.unsubscribe', { topic: 'builds' }, own).then(unsubscribed('builds'));
    given(inbox).when('inbox.unsubscribe', { topic: 'builds' }, own).then();
  });
  it('has so many topics at most', () => {
    const many = Array.from({ length: 200 }, (_, number) => subscribed(`t${number}`));
    given(inbox, ...many)
      .when('inbox.subscribe', { topic: 'one-more' }, own)
      .thenRefused('out-of-range');
  });
  it('confirms what came to all, each step once', () => {
    given(inbox).when('inbox.confirm', confirm(false), own).then(delivered);
    given(inbox, delivered).when('inbox.confirm', confirm(false), own).then();
    given(inbox, delivered).when('inbox.confirm', confirm(true), own).then(read);
    given(inbox, read).when('inbox.confirm', confirm(true), own).then();
    given(inbox, read).when('inbox.confirm', confirm(false), own).then();
  });
  it('confirms what came to a topic only while it is subscribed to it', () => {
    given(inbox).when('inbox.confirm', confirm(true, 'builds'), own).thenRefused('not-found');
    given(inbox, subscribed('builds')).when('inbox.confirm', confirm(true, 'builds'), own).then(read);
  });
  it('is marked as read up to a place in the log', () =>
    given(inbox)
      .when('inbox.read-all', { until: '7', repositories: ['a'] }, own)
      .then({ type: 'InboxRead', data: { participant, until: '7', repositories: ['a'] } }));
});

const commandOf = fc.tuple(
  fc.constantFrom('subscribe', 'unsubscribe', 'deliver', 'read'),
  fc.integer({ min: 0, max: 5 }),
);

it('whatever comes: topics are a set, nothing is confirmed twice, and its state stays small', () => {
  const ids = Array.from({ length: 6 }, newId);
  fc.assert(
    fc.property(fc.array(commandOf, { maxLength: 80 }), (commands) => {
      let state = inboxFold.initial;
      const topics = new Set<string>();
      const confirmed = new Map<string, boolean>();
      for (const [what, number] of commands) {
        const topic = `t${number}`;
        const id = ids[number] as string;
        const context = { id: newId(), ...own };
        const isRead = what === 'read';
        const events =
          what === 'subscribe' || what === 'unsubscribe'
            ? inbox.decisions[`inbox.${what}`]({ topic }, state, context)
            : inbox.decisions['inbox.confirm']({ messageId: id, topic: null, read: isRead }, state, context);
        const isNews =
          what === 'subscribe'
            ? !topics.has(topic)
            : what === 'unsubscribe'
              ? topics.has(topic)
              : isRead
                ? confirmed.get(id) !== true
                : !confirmed.has(id);
        expect(events).toHaveLength(isNews ? 1 : 0);
        if (what === 'subscribe') topics.add(topic);
        else if (what === 'unsubscribe') topics.delete(topic);
        else confirmed.set(id, isRead || confirmed.get(id) === true);
        for (const event of events) state = inboxFold.evolve(state, event);
        expect(new Set(state.topics)).toEqual(topics);
      }
    }),
    { numRuns: 200 },
  );
});

it('does not grow with what it confirmed', () => {
  let state = inboxFold.initial;
  for (let count = 0; count < 1_000; count++)
    state = inboxFold.evolve(state, { type: 'InboxMessageRead', data: { participant, messageId: newId() } });
  expect(state.confirmed).toHaveLength(200);
});
