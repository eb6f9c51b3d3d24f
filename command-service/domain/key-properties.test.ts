import { CommandRefused } from '@workledger/shared/commands/refusal.ts';
import type { KeyEvent } from '@workledger/shared/contexts/agent/key/events.ts';
import { keyFold, type KeyState } from '@workledger/shared/contexts/agent/key/state.ts';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { key } from './key.ts';

const id = '0190a000-0000-7000-8000-0000000000a1';
const context = { id, actor: 'system' };
const maybe = <Value>(value: Value) => fc.constantFrom(value, null, undefined);

const creation = fc.record({
  type: fc.constant('key.create' as const),
  data: fc.record({
    name: fc.constant('x'),
    role: fc.constantFrom(...(['viewer', 'agent', 'operator', 'auditor', 'admin', 'service'] as const)),
    agentId: fc.constantFrom(id, null),
    userId: maybe(id),
    repositories: maybe(['shop']),
    secretHash: fc.constantFrom('ab'.repeat(32), undefined),
    secretId: fc.constantFrom(id, undefined),
  }),
});
const revocation = fc.record({ type: fc.constant('key.revoke' as const), data: fc.constant({ reason: 'lost' }) });
type Sent =
  | (typeof creation extends fc.Arbitrary<infer One> ? One : never)
  | { type: 'key.revoke'; data: { reason: string } };

function send(state: KeyState, command: Sent): readonly KeyEvent[] | null {
  try {
    return command.type === 'key.create'
      ? key.decisions['key.create'](command.data, state, context)
      : key.decisions['key.revoke'](command.data, state, context);
  } catch (error) {
    if (error instanceof CommandRefused) return null;
    throw error;
  }
}

it('whatever is sent: a key is made once, ends once, and the hash of a secret stands in the log only of what is nobody’s', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(creation, revocation), { maxLength: 12 }), (sent) => {
      let state: KeyState = keyFold.initial;
      const model = { made: false, revoked: false };
      for (const command of sent) {
        const events = send(state, command);
        if (command.type === 'key.revoke') {
          expect(events?.length).toBe(model.made ? (model.revoked ? 0 : 1) : undefined);
          model.revoked = model.made;
        } else if (events !== null) {
          expect([model.made, events.length]).toEqual([false, 1]);
          model.made = true;
          const { userId, secretHash, secretId } = command.data;
          const isUsers = typeof userId === 'string';
          expect(events[0]!.data).toMatchObject(isUsers ? { userId, secretId } : { secretHash });
          expect(events[0]!.data).toHaveProperty(isUsers ? 'secretHash' : 'secretId', undefined);
        }
        for (const event of events ?? []) state = keyFold.evolve(state, event);
        expect([state !== null, state?.revoked ?? false]).toEqual([model.made, model.revoked]);
      }
    }),
  );
});
