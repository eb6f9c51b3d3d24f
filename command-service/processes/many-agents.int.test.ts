import { afterAll, beforeAll, expect, it } from 'vitest';
import { ask, create, eventsOf, register, startWriteSide, type WriteSide } from './testing.ts';

let side: WriteSide;
beforeAll(async () => {
  side = await startWriteSide();
});
afterAll(() => side.close());

const AGENTS = 100;

it.each([
  // A reservation is written only for a task that nobody else of the process has in hand.
  { processes: 1, mostBeyond: 0 },
  { processes: 2, mostBeyond: AGENTS },
])(
  '100 agents that ask at once on $processes process(es) have a task each, and few reserve in vain',
  async ({ processes, mostBeyond }) => {
    const others = await Promise.all(Array.from({ length: processes }, () => side.another()));
    const tasks = await Promise.all(Array.from({ length: AGENTS }, () => create(side)));
    const agents = await Promise.all(Array.from({ length: AGENTS }, () => register(side, { capacity: 1 })));
    side.hints.splice(0, side.hints.length, ...tasks.map((taskId) => ({ taskId })));

    const answers = await Promise.all(
      agents.map((agentId, index) => ask({ commands: others[index % processes]! }, 'agent.claim-next', agentId)),
    );
    expect(new Set(answers.map(({ details }) => details['taskId']))).toEqual(new Set(tasks));
    const reserved = await Promise.all(
      agents.map(async (agentId) => {
        const events = await eventsOf(side.log, `agent-${agentId}`);
        return events.filter(({ type }) => type === 'AgentReserved').length;
      }),
    );
    const beyond = reserved.reduce((sum, count) => sum + count, 0) - AGENTS;
    process.stdout.write(`${processes} process(es): ${beyond} reservations in vain\n`);
    expect(beyond).toBeLessThanOrEqual(mostBeyond);
  },
);
