import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createCodeWorld, createTestArtefacts, type TestArtefacts } from '../testing.ts';
import type { RequestOf, ResultOf } from '../catalogue.ts';
import { describeWithSandbox } from './testing.ts';

let stored: TestArtefacts;
beforeAll(async () => void (stored = await createTestArtefacts()));
afterAll(() => stored.drop());

/** Tries what it must not do, tells on standard output what it got, mends the code and commits it. */
const curious = `
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
console.log(JSON.stringify(["../../admin-key", "../../attempts", "/root/.ssh"].map((path) => existsSync(path))));
writeFileSync('src/add.mjs', readFileSync('src/add.mjs', 'utf8').replace('a - b', 'a + b'));
execFileSync('git', ['commit', '--quiet', '--all', '--message', 'mend']);
console.log(execFileSync('git', ['log', '-1', '--format=%an']).toString().trim());
`;

const greedy = `const all = []; for (let i = 0; i < 100; i++) all.push(Buffer.alloc(1e7, 1)); setTimeout(() => all, 20_000);`;

describeWithSandbox('in the sandbox', () => {
  const sandbox = { hidden: [], api: null };

  test('an agent works, commits and is judged, and sees nothing but its own', async () => {
    const world = createCodeWorld(stored.artefacts, { agents: { curious }, sandbox });
    onTestFinished(() => world.remove());
    mkdirSync(world.dataFolder, { recursive: true });
    writeFileSync(join(world.dataFolder, 'admin-key'), 'secret');
    const done = await world.call<ResultOf<'code.work'>>('code.work', world.workRequest('curious'));
    expect(await world.text(done.output.digest)).toBe('[false,false,false]\nWorkledger\n');
    const judged: Omit<RequestOf<'code.validate'>, keyof typeof world.inRun> = {
      commit: done.commit,
      base: world.base,
    };
    expect(await world.call('code.validate', judged)).toMatchObject({ failure: null });
    expect(world.leftovers()).toEqual([]);
    expect(existsSync(join(world.dataFolder, 'homes', 'curious'))).toBe(true);
    expect(existsSync(join(world.dataFolder, 'homes', '.repository-sample'))).toBe(true);
  });

  test('the failure of one that is over a limit names the limit', async () => {
    const agent = { limits: { memoryBytes: 200 * 1_024 ** 2 } };
    const world = createCodeWorld(stored.artefacts, { agents: { greedy }, agent, sandbox });
    onTestFinished(() => world.remove());
    const failing = world.call('code.work', world.workRequest('greedy'));
    await expect(failing).rejects.toThrow('agent "greedy": over its limit of memory: 200 MiB');
    expect(world.leftovers()).toEqual([]);
  });
});
