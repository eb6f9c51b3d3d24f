import { given } from '@workledger/shared/aggregate/testing.ts';
import type { MessageTypeEvent } from '@workledger/shared/contexts/agent/message-type/events.ts';
import { messageTypeFold } from '@workledger/shared/contexts/agent/message-type/state.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messageType } from './message-type.ts';

const wish = { name: 'build.report', description: '', schema: { type: 'object', required: ['ok'] } };
const registered = (number: number, schema: Record<string, unknown> = wish.schema): MessageTypeEvent => ({
  type: 'MessageTypeRegistered',
  data: { ...wish, number, schema },
});

describe('a message type', () => {
  it('is registered', () => given(messageType).when('message-type.register', wish).then(registered(1)));
  it('the same again is nothing, whatever the order of its fields', () =>
    given(messageType, registered(1))
      .when('message-type.register', { ...wish, schema: { required: ['ok'], type: 'object' } })
      .then());
  it('with another schema is its next version', () =>
    given(messageType, registered(1))
      .when('message-type.register', { ...wish, schema: {} })
      .then(registered(2, {})));
});

it('whatever is registered in whatever order: its number is how often the schema changed', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 30 }), (schemas) => {
      let state = messageTypeFold.initial;
      let changes = 0;
      let last = -1;
      for (const value of schemas) {
        const data = { ...wish, schema: { const: value } };
        const events = messageType.decisions['message-type.register'](data, state, { id: newId(), actor: 'system' });
        for (const event of events) state = messageTypeFold.evolve(state, event);
        if (value !== last) changes++;
        last = value;
        expect(state).toMatchObject({ number: changes, schema: { const: value } });
      }
    }),
  );
});
