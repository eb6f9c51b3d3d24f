import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ResultOf } from '../catalogue.ts';
import { createOutcomes } from './outcomes.ts';
import { createGenerationWorld } from './testing.ts';

let world: Awaited<ReturnType<typeof createGenerationWorld>>;
beforeAll(async () => {
  const generate = { models: ['fast', 'nowhere'], codegen: {} };
  world = await createGenerationWorld(() => ({ text: '' }), {}, { generate });
});
afterAll(() => world?.dispose());

const choose = () =>
  world.call<ResultOf<'generation.choose'>>('generation.choose', { agentId: 'agent-1', refused: [] });
const names = async (): Promise<string[]> => (await choose()).order.map(({ name }) => name);

it('chooses among those that can be had here, and by what became of attempts before', async () => {
  const chosen = await choose();
  expect(chosen).toMatchObject({ level: 'low', left: [] });
  expect(await world.text(chosen.report.digest)).toContain('1. chat:fast: $0.02 an attempt and $0.05 of waiting');
  expect(await names()).toEqual(['chat:fast', 'agent-1']);
  const outcomes = createOutcomes(world.database.pool);
  const learnt = (strategy: string, succeeded: boolean, count: number) =>
    outcomes.keep(
      { runId: `${strategy}-run`, repository: 'sample', level: 'low' },
      Array.from({ length: count }, (_, at) => ({ round: 1, attempt: at + 1, strategy, succeeded, costUsd: 0.1 })),
    );
  await learnt('chat:fast', false, 30);
  await learnt('chat:fast', false, 30);
  await learnt('agent-1', true, 5);
  expect(await outcomes.of('sample', 'low')).toEqual(
    new Map([
      ['chat:fast', { succeeded: 0, failed: 30, averageUsd: expect.closeTo(0.1) as number }],
      ['agent-1', { succeeded: 5, failed: 0, averageUsd: expect.closeTo(0.1) as number }],
    ]),
  );
  expect(await names()).toEqual(['agent-1', 'chat:fast']);
});
