import { setTimeout as pause } from 'node:timers/promises';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { create, register, ask, eventsOf, startWriteSide, type WriteSide } from './testing.ts';

let side: WriteSide;
beforeAll(async () => {
  side = await startWriteSide();
});
beforeEach(() => {
  side.hints.length = 0;
  delete side.wanted.last;
});
afterAll(() => side.close());

const ROUNDS = 8;
const EQUAL = 12;

/** Equal commands under one key, sent to two processes while the first are under way: the answers. */
async function sendEqual(type: string, target: string, data: object, gapMs: number) {
  const both = [side, { commands: await side.another() }];
  const commandId = newId();
  return Promise.all(
    Array.from({ length: EQUAL }, async (_, index) => {
      await pause(index * gapMs);
      return ask(both[index % 2] ?? side, type, target, data, { commandId });
    }),
  );
}

const claimsOf = async (agentId: string) =>
  (await eventsOf(side.log, `agent-${agentId}`)).filter(({ type }) => type === 'AgentReserved').length;

it('many equal claims of a task at once make one claim and answer the same', async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const [taskId, agentId] = [await create(side), await register(side)];
    const answers = await sendEqual('task.claim', taskId, { agentId }, round % 2);
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(await claimsOf(agentId)).toBe(1);
  }
});

it('many equal claims of the next task at once make one claim and answer the same', async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const agentId = await register(side);
    const tasks = await Promise.all(Array.from({ length: 3 }, () => create(side)));
    side.hints.splice(0, side.hints.length, ...tasks.slice(0, 1 + (round % 3)).map((taskId) => ({ taskId })));
    const answers = await sendEqual('agent.claim-next', agentId, {}, round % 2);
    expect(answers[0]?.details).toHaveProperty('claimId');
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(await claimsOf(agentId)).toBe(1);
  }
});

it.each([
  ['nothing else is free', 0],
  ['another task is free', 1],
])('an equal claim of the next task that was overtaken answers what the first did, when %s', async (_, others) => {
  const agentId = await register(side);
  const commandId = newId();
  let goOn = () => {};
  side.wanted.until = new Promise((resolve) => (goOn = resolve));
  const overtaken = ask(side, 'agent.claim-next', agentId, {}, { commandId });
  await expect.poll(() => side.wanted.last).toBeDefined();
  delete side.wanted.until;
  side.hints.push({ taskId: await create(side) });
  const first = await ask(side, 'agent.claim-next', agentId, {}, { commandId });
  for (let other = 0; other < others; other++) side.hints.push({ taskId: await create(side) });
  goOn();
  expect(await overtaken).toEqual(first);
  expect(first.details).toHaveProperty('claimId');
  expect(await claimsOf(agentId)).toBe(1);
});
