import type { Aggregate } from '@workledger/shared/aggregate/aggregate.ts';
import type { DataOf } from '@workledger/shared/contexts/define-commands.ts';
import type { keyCommands } from '@workledger/shared/contexts/agent/key/commands.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import { keyFold, type KeyState } from '@workledger/shared/contexts/agent/key/state.ts';
import type { KeyEvent, Role } from '@workledger/shared/contexts/agent/key/events.ts';

/** An API key: what it may do is its role; one of role `agent` speaks for one agent only. */
export const key: Aggregate<KeyState, KeyEvent, DataOf<typeof keyCommands>> = {
  ...keyFold,
  decisions: {
    'key.create': (data, state) => {
      if (state !== null) refuse('already-exists', 'this key exists already');
      if (data.role === 'agent' && data.agentId === null)
        refuseAgent('a key of role agent names the agent that it speaks for');
      if (data.role !== 'agent' && data.agentId !== null)
        refuseAgent(`a key of role ${data.role} speaks for no agent: leave agentId out`);
      if (isGiven(data.userId) && (data.role === 'agent' || data.role === 'service'))
        refuseField('role', `a key of role ${data.role} is nobody's: leave userId out`);
      checkSecret(data);
      const { userId, expiresAt, repositories, macKey, ...always } = data;
      if (isGiven(repositories) && !limitable.includes(data.role))
        refuseField('repositories', `a key of role ${data.role} cannot be limited to repositories`);
      const limits = { ...(isGiven(expiresAt) && { expiresAt }), ...(isGiven(repositories) && { repositories }) };
      return [
        {
          type: 'KeyCreated',
          data: { ...always, ...(isGiven(userId) && { userId }), ...(isGiven(macKey) && { macKey }), ...limits },
        },
      ];
    },
    'key.revoke': (data, state) => {
      if (state === null) return refuse('not-found', 'there is no such key');
      return state.revoked ? [] : [{ type: 'KeyRevoked', data }];
    },
  },
};

/** What is a person's stays out of the log, which forgets nothing. */
function checkSecret({ userId, secretHash, secretId }: DataOf<typeof keyCommands>['key.create']): void {
  const [wanted, other] = isGiven(userId) ? ([secretId, secretHash] as const) : ([secretHash, secretId] as const);
  if (isGiven(wanted) && !isGiven(other)) return;
  if (isGiven(userId)) refuseField('secretId', "a user's key names where the hash of its secret is, and has none");
  refuseField('secretHash', "a key that is nobody's has the hash of its secret, and names no other place");
}

/** All others see or do what belongs to no repository. */
const limitable: readonly Role[] = ['viewer', 'agent', 'operator'];

const isGiven = <Value>(value: Value | null | undefined): value is Value => value !== null && value !== undefined;

const refuseField = (path: string, message: string): never =>
  refuse('out-of-range', message, { errors: [{ path, message }] });

const refuseAgent = (message: string): never => refuseField('agentId', message);
