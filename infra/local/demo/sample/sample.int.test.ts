import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createSampleRepository } from './create-sample-repository.ts';

const agents = join(import.meta.dirname, '..', 'agents');

/** A clone of the sample, as the demo's commands and agents see it. */
async function clone() {
  const folder = mkdtempSync(join(tmpdir(), 'workledger-sample-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const { bareUrl } = await createSampleRepository(join(folder, 'sample-1.git'));
  execFileSync('git', ['clone', '--quiet', '--branch', 'main', bareUrl, 'clone'], { cwd: folder });
  const cwd = join(folder, 'clone');
  const node = (args: readonly string[], input = '') => {
    const { PATH, HOME } = process.env;
    const { status, stdout } = spawnSync(process.execPath, args, { cwd, input, encoding: 'utf8', env: { PATH, HOME } });
    return { status, stdout };
  };
  return {
    bareUrl,
    failingTests: () => [...node(['--test']).stdout.matchAll(/^not ok \d+ - (.*)$/gm)].map(([, name]) => name),
    /** null: the benchmark refuses the code. */
    operations: (): number | null => {
      const { status, stdout } = node(['benchmark.mjs']);
      const last = stdout.trim().split('\n').at(-1) ?? '';
      return status === 0 ? (JSON.parse(last) as { operations: number }).operations : null;
    },
    ask: (agent: string, purpose: string, attempt: string, feedback = '') => {
      const prompt = `# Title\n\n## Purpose: ${purpose}\n\n${feedback}\n\n- This attempt is called ${attempt}. Others may\n`;
      expect(node([join(agents, `${agent}-agent.mjs`)], prompt).status).toBe(0);
    },
  };
}

test('the sample is right but for what the issue asks, and slow', async () => {
  const { failingTests, operations } = await clone();
  expect(failingTests()).toEqual(['upper and lower case make no difference']);
  expect(operations()).toBeGreaterThan(9_000_000);
});

test('making it again changes nothing', async () => {
  const { bareUrl } = await clone();
  const look = () => execFileSync('git', ['rev-parse', 'main'], { cwd: bareUrl, encoding: 'utf8' });
  const before = look();
  await createSampleRepository(bareUrl);
  expect(look()).toBe(before);
});

test('the helpful agent does what is asked, then finds better ways, and worse ones', async () => {
  const { failingTests, operations, ask } = await clone();
  ask('helpful', 'generate', 'generate-1-1');
  expect(failingTests()).toEqual([]);
  const start = operations()!;
  ask('helpful', 'improve', 'candidate-1.2');
  expect(failingTests()).toEqual([]);
  const sorted = operations()!;
  expect(sorted).toBeLessThan(start / 100);
  ask('helpful', 'improve', 'candidate-2.1');
  expect(failingTests()).toEqual([]);
  expect(operations()).toBeGreaterThan(sorted);
  ask('helpful', 'improve', 'candidate-2.2');
  expect(failingTests()).toEqual([]);
  expect(operations()).toBe(2_200);
  ask('helpful', 'improve', 'candidate-3.1');
  expect(operations()).toBeNull();
});

test('the failing agent breaks a test, also after it was told, in another way', async () => {
  const { failingTests, operations, ask } = await clone();
  const broken = ['an address is told as it is written first'];
  ask('failing', 'generate', 'generate-1-1');
  expect(failingTests()).toEqual(broken);
  const before = operations();
  ask('failing', 'generate', 'generate-2-1', '## Feedback on the last attempt');
  expect(failingTests()).toEqual(broken);
  expect(operations()).not.toBe(before);
});
