import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { git } from '@workledger/infra/testing/repository/git.ts';
import { ComponentFailure } from '../../engine/component.ts';
import { resultOf } from '../git/names.ts';
import { createCodeWorld, createTestArtefacts, type TestArtefacts } from '../testing.ts';

let store: TestArtefacts;
beforeAll(async () => void (store = await createTestArtefacts()));
afterAll(() => store.drop());

async function failing(script: string) {
  const made = createCodeWorld(store.artefacts, { agents: { agent: script } });
  onTestFinished(() => made.remove());
  const error: unknown = await made.call('code.work', made.workRequest('agent')).catch((reason: unknown) => reason);
  if (!(error instanceof ComponentFailure)) throw new Error('it did not fail', { cause: error });
  return { ...made, failure: error.failure };
}

test('what a failed attempt had changed stays in the origin, and its failure names it', async () => {
  const { failure, bare, base, inRun } = await failing(`import { writeFileSync } from 'node:fs';
    writeFileSync('src/add.mjs', 'export const add = (a, b) => a + b;\\n'); process.exit(3);`);
  const commit = failure.commit ?? 'none';
  expect(git(bare, 'rev-parse', resultOf(inRun, 'generate-1-failed', commit))).toBe(commit);
  expect(git(bare, 'diff', '--name-only', base, commit)).toBe('src/add.mjs');
});

test('of one that had changed nothing, nothing is kept', async () => {
  const { failure, bare } = await failing('process.exit(3);');
  expect(failure.commit).toBeUndefined();
  expect(git(bare, 'for-each-ref', 'refs/workledger')).toBe('');
});
