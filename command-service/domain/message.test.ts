import { given } from '@workledger/shared/aggregate/testing.ts';
import type { MessageEvent, MessageSent } from '@workledger/shared/contexts/agent/message/events.ts';
import { messageFold } from '@workledger/shared/contexts/agent/message/state.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { message } from './message.ts';

const [from, participant, other] = [`key:${newId()}`, `agent:${newId()}`, `agent:${newId()}`];
const words: MessageSent = {
  ...{ from, to: { kind: 'participant', participant }, messageType: null, typeNumber: null },
  ...{ subject: 'hello', body: '', content: null, repository: null, taskId: null, replyTo: null },
};
const sent: MessageEvent = { type: 'MessageSent', data: words };
const delivered: MessageEvent = { type: 'MessageDelivered', data: { participant, from } };
const read: MessageEvent = { type: 'MessageRead', data: { participant, from } };
const own = { actor: participant };

describe('a message', () => {
  it('is sent', () => given(message).when('message.send', words).then(sent));
  it('is sent once', () => given(message, sent).when('message.send', words).thenRefused('already-exists'));
  it('is delivered', () => given(message, sent).when('message.deliver', {}, own).then(delivered));
  it('is delivered once', () => given(message, sent, delivered).when('message.deliver', {}, own).then());
  it('is read', () => given(message, sent, delivered).when('message.read', {}, own).then(read));
  it('is read once', () => given(message, sent, read).when('message.read', {}, own).then());
  it('that was read has come', () => given(message, sent, read).when('message.deliver', {}, own).then());
  it('is not there for others', () => {
    given(message, sent).when('message.read', {}, { actor: other }).thenRefused('not-found');
    given(message, sent).when('message.deliver', {}, { actor: from }).thenRefused('not-found');
  });
  it('that is not there is not confirmed', () => given(message).when('message.read', {}, own).thenRefused('not-found'));
  it('to many is not confirmed in its own stream', () => {
    const toAll: MessageEvent = { type: 'MessageSent', data: { ...words, to: { kind: 'all' } } };
    given(message, toAll).when('message.read', {}, own).thenRefused('not-found');
  });
});

it('whatever is confirmed in whatever order: each at most once, and its stream never grows beyond three events', () => {
  const what = fc.constantFrom('message.deliver' as const, 'message.read' as const);
  fc.assert(
    fc.property(fc.array(what, { maxLength: 30 }), (commands) => {
      let state = messageFold.evolve(null, sent);
      const events: MessageEvent[] = [];
      for (const command of commands)
        for (const event of message.decisions[command]({}, state, { id: newId(), actor: participant })) {
          events.push(event);
          state = messageFold.evolve(state, event);
        }
      const model = { delivered: commands.length > 0, read: commands.includes('message.read') };
      expect(state).toMatchObject(model);
      expect(new Set(events.map(({ type }) => type)).size).toBe(events.length);
    }),
  );
});
