import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startFakeCodegen } from '../testing/codegen/fake-codegen.ts';
import { startScriptedModel } from '../testing/models/scripted-model.ts';
import { systemFolder, type SystemFolder } from '../testing/processes/folder.ts';
import { createBareOrigin, createUserRepository, git } from '../testing/repository/git.ts';
import { scriptAgent } from '../testing/repository/shell-repository.ts';
import { startInFolder, type RunningSystem } from '../testing/system/in-folder.ts';
import { createTask, finalTask, type Task } from '../testing/system/tasks.ts';

type Generation = {
  readonly strategies: readonly string[];
  readonly attempts: readonly { readonly strategy: string; readonly state: string; readonly costUsd: number | null }[];
  readonly costUsd: number | null;
};

let folder: SystemFolder;
let origin: string;
let system: RunningSystem;
let model: Awaited<ReturnType<typeof startScriptedModel>>;
let codegen: Awaited<ReturnType<typeof startFakeCodegen>>;

const file = (name: string): string => `@@@ FILE ${name}.txt\n${name}\n@@@ END`;

beforeAll(async () => {
  folder = await systemFolder();
  model = await startScriptedModel(({ body }) => {
    const asked = body.messages[1]?.content ?? '';
    return { text: asked.includes('# Fix a typo') ? file('typo') : 'I would rather not.' };
  });
  codegen = await startFakeCodegen();
  codegen.does(() => ({ states: ['ERROR'], result: 'It is too much for me.' }));
  const person = join(folder.path, 'person');
  createUserRepository(person, { 'first.txt': 'first\n' });
  origin = createBareOrigin(person);
  system = await startInFolder(
    folder.path,
    {
      models: [{ name: 'fast', url: model.url, model: 'x-1', inputUsd: 10, outputUsd: 100 }],
      codegen: { url: codegen.url, organization: codegen.organization, token: { env: 'CODEGEN_TOKEN' }, runUsd: 0.05 },
      outbound: { privateHosts: [model.host, codegen.host] },
      repositories: [
        {
          ...{ name: 'notes', url: origin, merge: 'fast-forward', test: ['true'] },
          generate: { models: ['fast'], codegen: {}, capabilities: ['shell'] },
        },
      ],
      agents: [scriptAgent('shell', 'echo agent > agent.txt')],
    },
    { CODEGEN_TOKEN: codegen.token },
  );
}, 60_000);
afterAll(async () => {
  await model?.stop();
  await codegen?.close();
  await folder?.remove();
});

async function done(title: string): Promise<{ task: Task; generation: Generation }> {
  const id = await createTask(system.client, 'notes', { title, capabilities: ['shell'] });
  const task = await finalTask(system.client, id);
  const [{ id: generation = '' } = {}] = (task as unknown as { generations: { id: string }[] }).generations;
  const told = await system.client.find<Generation>(`/generations/${generation}`, {});
  if (told === null) throw new Error('there is no generation');
  return { task, generation: told };
}

test('a model writes what is simple by one answer, and no agent is started', { timeout: 60_000 }, async () => {
  const { task, generation } = await done('Fix a typo');
  expect(task).toMatchObject({ state: 'complete', result: { merged: true } });
  expect(git(origin, 'show', 'main:typo.txt')).toBe('typo');
  expect(generation.strategies[0]).toBe('chat:fast');
  expect(generation.attempts).toMatchObject([{ strategy: 'chat:fast', state: 'succeeded', costUsd: 0.02 }]);
  expect([model.asked.length, codegen.runs.length]).toEqual([1, 0]);
});

test('where one fails the next is asked, to the agent; each is paid once, and told', { timeout: 60_000 }, async () => {
  const { task, generation } = await done('Fix a mistake');
  expect(task).toMatchObject({ state: 'complete', result: { merged: true, costUsd: expect.closeTo(0.07) as number } });
  expect(git(origin, 'show', 'main:agent.txt')).toBe('agent');
  expect(
    generation.attempts.map(({ strategy, state }) => [strategy.replace(/^[0-9a-f-]{36}$/, 'agent'), state]),
  ).toEqual([
    ['chat:fast', 'failed'],
    ['codegen', 'failed'],
    ['agent', 'succeeded'],
  ]);
  expect(generation.attempts.map(({ costUsd }) => costUsd)).toEqual([0.02, 0.05, null]);
  expect([model.asked.length, codegen.runs.length]).toEqual([2, 1]);
  expect(codegen.runs[0]).toMatchObject({ banned: true });
  const health = (await (await fetch(`${system.url}/health`)).json()) as { details: { components: object } };
  expect(health.details.components).toMatchObject({ codegen: { up: true }, 'model fast': { up: true } });
  expect(system.program.written.output).not.toContain(codegen.token);
});
