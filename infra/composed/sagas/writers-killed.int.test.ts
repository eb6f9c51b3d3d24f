import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startProgram } from '@workledger/infra/testing/processes/program.ts';
import { killAndWait } from '@workledger/infra/testing/processes/processes.ts';
import { until } from '@workledger/infra/testing/processes/until.ts';
import { git } from '@workledger/infra/testing/repository/git.ts';
import type { ResultOf } from '@workledger/sagas/components/catalogue.ts';
import { startTestCodegen } from '@workledger/sagas/components/codegen/testing.ts';
import { createGenerationWorld } from '@workledger/sagas/components/generation/testing.ts';
import type { CallSettings } from './component-call.program.ts';

const MENDED = 'export const add = (a, b) => a + b;';

let codegen: Awaited<ReturnType<typeof startTestCodegen>>;
let world: Awaited<ReturnType<typeof createGenerationWorld>>;
let answers = true;
beforeAll(async () => {
  codegen = await startTestCodegen();
  world = await createGenerationWorld(
    () => (answers ? { text: `@@@ FILE src/add.mjs\n${MENDED}\n@@@ END` } : new Promise<never>(() => undefined)),
    { codegen: codegen.codegen },
    { generate: { models: ['fast'], codegen: {} } },
  );
});
afterAll(async () => {
  await world?.dispose();
  await codegen?.fake.close();
});

/** Each label's is another one: what was asked before is not asked again. */
const requestOf = (label: string): object => ({
  ...{ model: 'fast', parent: world.base, label },
  prompt: { purpose: 'generate', feedback: null, metrics: null, earlier: [label] },
});
const keyOf = (name: string, label: string): string => `saga-1/${label}/${name}`;

/** Performs a component in a process of its own, which is killed when this has come about. */
async function killWhen(
  come: () => boolean,
  { name, label, description }: { name: string; label: string; description?: string },
): Promise<void> {
  const settings: CallSettings = {
    configuration: {
      ...{ repositories: [world.repository], models: [world.configured], codegen: codegen.configured },
      outbound: { privateHosts: [world.model.host, codegen.fake.host] },
    },
    ...{ folder: world.folder, databaseUrl: world.database.url, name, key: keyOf(name, label) },
    ...(description !== undefined && { description }),
    request: { ...world.inRun, ...requestOf(label) },
  };
  const source = 'infra/composed/sagas/component-call.program.ts';
  const program = startProgram(source, [JSON.stringify(settings)], { environment: codegen.environment });
  await until('the point at which it is killed', () => {
    if (!program.isRunning()) throw new Error(`it ended before: ${program.written.output}`);
    return come();
  });
  // What it started goes with it, as on a machine that goes down.
  await killAndWait([-program.pid]);
  await program.ended;
}

const callAgain = <Result>(name: string, label: string): Promise<Result> =>
  world.call(name, requestOf(label), undefined, keyOf(name, label));

it('a run of Codegen that began when its process was killed is found again, and none is paid twice', async () => {
  const { fake } = codegen;
  fake.fail('begin', { kind: 'hang-after' });
  await killWhen(() => fake.runs.length === 1, { name: 'codegen.begin', label: 'write-1-1' });
  const begun = await callAgain<ResultOf<'codegen.begin'>>('codegen.begin', 'write-1-1');
  expect([begun.run, fake.runs.length]).toEqual([fake.runs[0]?.id, 1]);
});

it('what a model answered before its process was killed is taken, though the task has other words by now', async () => {
  const [hold, held] = ['hold', 'held'].map((name) => join(world.bare, name)) as [string, string];
  const hook = join(world.bare, 'hooks', 'pre-receive');
  writeFileSync(hook, `#!/bin/sh\n: > held\nwhile [ -e hold ]; do sleep 0.05; done\n`);
  chmodSync(hook, 0o755);
  writeFileSync(hold, '');
  const asked = { name: 'generation.chat', label: 'write-1-2', description: 'It takes one from the other.' };
  await killWhen(() => existsSync(held), asked);
  rmSync(hold);
  const result = await callAgain<ResultOf<'generation.chat'>>('generation.chat', 'write-1-2');
  expect([result.costUsd, world.model.asked.length]).toEqual([0.02, 1]);
  expect(git(world.bare, 'show', `${result.commit}:src/add.mjs`)).toBe(MENDED);
});

it('a model whose answer nobody kept is asked again under the same key, by which an endpoint knows it', async () => {
  answers = false;
  const before = world.model.asked.length;
  await killWhen(() => world.model.asked.length > before, { name: 'generation.chat', label: 'write-1-3' });
  answers = true;
  await callAgain('generation.chat', 'write-1-3');
  const [first, second] = world.model.asked.slice(before);
  expect(first?.key).toMatch(/^[0-9a-f]{64}$/);
  expect(second).toEqual(first);
});
