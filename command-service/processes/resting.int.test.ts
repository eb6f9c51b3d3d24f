import { afterAll, beforeAll, expect, it } from 'vitest';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { ask, create, eventsOf, expectRefused, register, startWriteSide, type WriteSide } from './testing.ts';

let side: WriteSide;
beforeAll(async () => void (side = await startWriteSide()));
afterAll(() => side.close());

it('ten tasks and an agent at its limit: one claim until the time it named; another agent takes that task at once', async () => {
  const start = Date.now();
  let now = start;
  const commands = await side.another({}, undefined, () => now);
  const world = { ...side, commands };
  const agentId = await register(world, { runtime: 'command' });
  for (let count = 0; count < 10; count++) side.hints.push({ taskId: await create(world) });
  const claimNext = () => ask(world, 'agent.claim-next', agentId, {});
  const claimsOf = async (): Promise<number> =>
    (await eventsOf(side.log, `agent-${agentId}`)).filter(({ type }) => type === 'AgentReserved').length;

  const { details } = await claimNext();
  const { claimId, taskId } = details as { claimId: string; taskId: string };
  const until = new Date(start + 3_600_000).toISOString();
  const asSaga = { actor: `saga:saga-${newId()}` };
  await ask(world, 'agent.rest', agentId, { until, reason: 'limit reached' }, asSaga);
  await ask(world, 'task.release', taskId, { claimId, reason: 'limit reached', limit: true }, asSaga);
  await ask(world, 'agent.release', agentId, { claimId, reason: 'TaskClaimReleased' }, asSaga);

  for (let minute = 0; minute < 60; minute++) {
    now = start + minute * 60_000;
    await expectRefused(claimNext(), 'no-capacity');
  }
  await expectRefused(ask(world, 'task.claim', taskId, { agentId }), 'no-capacity');
  expect(await claimsOf()).toBe(1);
  const other = await register(world, { runtime: 'command' });
  await ask(world, 'task.claim', taskId, { agentId: other });
  now = start + 3_600_000;
  expect((await claimNext()).details).toHaveProperty('claimId');
  expect(await claimsOf()).toBe(2);
});
