import type { CodeEnvironment } from './environment.ts';

const AT_LEAST = 2;
const AT_MOST = 16;

/** How many agents run at once in one process: as many tasks as they may hold, and room for one task's candidates. */
export function agentsAtOnce({ agents, repositories }: CodeEnvironment['configuration']): number {
  const tasks = agents.reduce((sum, { capacity }) => sum + capacity, 0);
  const candidates = Math.max(1, ...repositories.map(({ evolve }) => evolve?.candidates ?? 1));
  return Math.min(AT_MOST, Math.max(AT_LEAST, tasks + candidates - 1));
}
