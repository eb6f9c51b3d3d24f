import type { Commands } from '@workledger/shared/commands/port.ts';
import type { Route } from '@workledger/shared/http/route.ts';
import type { KeyStore } from '@workledger/shared/security/key-store.ts';
import { creation, intention } from './command-route.ts';

const AGENTS = '/api/v1/agents';
const AGENT = `${AGENTS}/{id}`;

/** The intentions that change an agent. */
export const agentRoutes = (commands: Commands, keys: KeyStore): Route[] => [
  creation(commands, {
    method: 'post',
    path: AGENTS,
    type: 'agent.register',
    summary: 'Register an agent',
    problems: ['unknown-reference'],
  }),
  intention(commands, {
    method: 'patch',
    path: AGENT,
    type: 'agent.change',
    summary: 'Change what an agent can do',
    problems: ['unknown-reference'],
  }),
  ending(
    keys,
    intention(commands, {
      method: 'delete',
      path: AGENT,
      type: 'agent.deregister',
      summary: 'Deregister an agent',
      description: 'Its keys are revoked. From the answer on every process refuses them.',
    }),
  ),
  intention(commands, {
    method: 'post',
    path: `${AGENT}/beat`,
    type: 'agent.beat',
    summary: 'Tell that the agent is alive',
    description: 'Three missed heartbeats and it counts as disconnected.',
  }),
  intention(commands, {
    method: 'post',
    path: `${AGENT}/claims`,
    type: 'agent.claim-next',
    summary: 'Claim the most urgent task that the agent can do',
    description: 'Answers `taskId`, `claimId` and `leaseSeconds`; none of them when there is no such task.',
    problems: ['no-capacity'],
  }),
  intention(commands, {
    method: 'post',
    path: `${AGENT}/error`,
    type: 'agent.report-error',
    summary: 'Report that the agent cannot work',
  }),
  intention(commands, {
    method: 'post',
    path: `${AGENT}/clear-error`,
    type: 'agent.clear-error',
    summary: 'Tell that the agent can work again',
  }),
  intention(commands, {
    method: 'post',
    path: `${AGENT}/activate`,
    type: 'agent.activate',
    summary: 'Let an agent take work again',
  }),
  intention(commands, {
    method: 'post',
    path: `${AGENT}/deactivate`,
    type: 'agent.deactivate',
    summary: 'Let an agent take no new work',
  }),
];

const ending = (keys: KeyStore, deregister: Route): Route => ({
  ...deregister,
  handle: async (input) => {
    const reply = await deregister.handle(input);
    await keys.forgetEverywhere();
    return reply;
  },
});
