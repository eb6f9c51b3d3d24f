import { agentSchema, repositorySchema } from '@workledger/shared/config/schema.ts';
import { expect, test } from 'vitest';
import { agentsAtOnce } from './work.ts';

const agents = (...capacities: number[]) =>
  capacities.map((capacity, index) => agentSchema.parse({ name: `agent-${index}`, command: ['true'], capacity }));
const evolve = { metric: 'size', direction: 'minimize', candidates: 3 };
const evolving = repositorySchema.parse({ name: 'evolving', url: '/x', test: ['true'], evolve });

test('as many agents run at once as tasks fit them, with room for the candidates of one', () => {
  expect(agentsAtOnce({ agents: agents(3, 2), repositories: [] })).toBe(5);
  expect(agentsAtOnce({ agents: agents(3, 2), repositories: [evolving] })).toBe(7);
});

test('two at least, sixteen at most', () => {
  expect(agentsAtOnce({ agents: [], repositories: [] })).toBe(2);
  expect(agentsAtOnce({ agents: agents(64), repositories: [] })).toBe(16);
});
