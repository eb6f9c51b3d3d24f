import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ResultOf } from '../catalogue.ts';
import { createOutcomes } from './outcomes.ts';
import { createGenerationWorld } from './testing.ts';

let world: Awaited<ReturnType<typeof createGenerationWorld>>;
beforeAll(async () => {
  world = await createGenerationWorld((_, number) => ({
    text: `@@@ FILE src/add.mjs\nexport const add = (a, b) => a + b + ${number} - ${number};\n@@@ END`,
  }));
});
afterAll(() => world?.dispose());

const ask = (runId: string): Promise<ResultOf<'generation.chat'>> => {
  const prompt = { purpose: 'generate', feedback: null, metrics: null } as const;
  const request = { runId, model: 'fast', parent: world.base, label: 'write-1-1', prompt };
  return world.call('generation.chat', request, undefined, `saga-${runId}/generate/1/1/work`);
};

it('what a model was asked before is not paid again, until its work is judged bad', async () => {
  const outcomes = createOutcomes(world.database.pool);
  const first = await ask('11111111-1111-4111-8111-111111111111');
  expect(first.costUsd).toBeCloseTo(0.02);
  const second = await ask('22222222-2222-4222-8222-222222222222');
  expect([second.tree, second.costUsd, world.model.asked.length]).toEqual([first.tree, 0, 1]);
  for (const runId of ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'])
    await outcomes.keep({ runId, repository: 'sample', level: 'low' }, [
      { round: 1, attempt: 1, strategy: 'chat:fast', succeeded: false, costUsd: 0.02 },
    ]);
  const third = await ask('33333333-3333-4333-8333-333333333333');
  expect(third.tree).not.toBe(first.tree);
  expect(world.model.asked).toHaveLength(2);
  expect(await outcomes.of('sample', 'low')).toEqual(
    new Map([['chat:fast', { succeeded: 0, failed: 2, averageUsd: 0.02 }]]),
  );
});
