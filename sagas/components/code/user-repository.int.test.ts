import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { resultOf } from '../git/names.ts';
import { createCodeWorld, createTestArtefacts, type TestArtefacts } from '../testing.ts';
import { git } from '@workledger/infra/testing/repository/git.ts';
import type { ResultOf } from '../catalogue.ts';

let store: TestArtefacts;
beforeAll(async () => void (store = await createTestArtefacts()));
afterAll(() => store.drop());

const fix = `import { writeFileSync } from 'node:fs';
writeFileSync('src/add.mjs', 'export const add = (a, b) => a + b;\\n');`;

test('a user working tree, index and HEAD are never touched, also when the user repository is the origin', async () => {
  const made = createCodeWorld(store.artefacts, { agents: { agent: fix }, bare: false });
  onTestFinished(() => made.remove());
  const { call, workRequest, user, inRun } = made;
  writeFileSync(join(user, 'src/add.mjs'), 'half done');
  writeFileSync(join(user, 'untracked'), 'mine');
  git(user, 'add', 'src/add.mjs');
  const look = (): string[] => [
    git(user, 'status', '--porcelain'),
    git(user, 'rev-parse', 'HEAD'),
    git(user, 'symbolic-ref', 'HEAD'),
    git(user, 'branch', '--list'),
    git(user, 'worktree', 'list'),
    readFileSync(join(user, '.git/index')).toString('hex'),
    readFileSync(join(user, 'src/add.mjs'), 'utf8'),
  ];
  git(user, 'status');
  const before = look();
  const { commit } = await call<ResultOf<'code.work'>>('code.work', workRequest('agent', { evaluate: true }));
  expect(git(user, 'rev-parse', resultOf(inRun, 'generate-1', commit))).toBe(commit);
  expect(look()).toEqual(before);
});
