import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { commitAsUser, git } from '@workledger/infra/testing/repository/git.ts';
import type { ResultOf } from '../catalogue.ts';
import { createCodeWorld, createTestArtefacts, type TestArtefacts } from '../testing.ts';

let store: TestArtefacts;
beforeAll(async () => void (store = await createTestArtefacts()));
afterAll(() => store.drop());

/** A repository whose commands note what they do, with how large a file, and where; of the winner that file is shorter. */
function world(evaluate = `console.log(JSON.stringify({ size: add.length }))`, setup = '') {
  const folder = mkdtempSync(join(tmpdir(), 'workledger-compare-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const log = join(folder, 'log');
  const command = (name: string, script: string): string[] => {
    const note = `fs.appendFileSync(${JSON.stringify(log)}, '${name} ' + add.length + ' ' + process.cwd() + '\\n');`;
    const head = `const fs = require('node:fs'); const add = fs.readFileSync('src/add.mjs', 'utf8');`;
    return [process.execPath, '-e', `${head} ${note} ${script}`];
  };
  const made = createCodeWorld(store.artefacts, {
    repository: { setup: command('setup', setup), evaluate: command('evaluate', evaluate) },
  });
  onTestFinished(() => made.remove());
  const winner = commitAsUser(made.user, { 'src/add.mjs': 'export const add = 1;\n' }, 'Shorter');
  git(made.user, 'push', '--quiet', 'origin', 'HEAD:refs/heads/winner');
  const compare = (rounds = 2) =>
    made.call<ResultOf<'code.compare'>>('code.compare', { start: made.base, winner, base: made.base, rounds });
  const lines = (): string[] => readFileSync(log, 'utf8').trim().split('\n');
  return { ...made, winner, compare, lines };
}

describe('compare', () => {
  test('measures start and winner in turns, after one setup each, and leaves nothing', async () => {
    const { compare, lines, leftovers, text } = world();
    const result = await compare();
    expect([result.start, result.winner]).toEqual([Array(2).fill({ size: 36 }), Array(2).fill({ size: 22 })]);
    const done = lines().map((line) => line.split(' '));
    expect(done.map(([what, size]) => `${what} ${size}`)).toEqual([
      // First on the base, whose folder could be kept: it makes none.
      ...['setup 36', 'setup 36', 'setup 22'],
      ...['evaluate 36', 'evaluate 22', 'evaluate 36', 'evaluate 22'],
    ]);
    expect(new Set(done.slice(1).map(([, , folder]) => folder)).size).toBe(2);
    expect((await text(result.output.digest)).match(/exit code 0/g)).toHaveLength(6);
    expect(leftovers()).toEqual([]);
  });

  test('measures with the protected paths of the base: a winner writes no yardstick of its own', async () => {
    const made = world(`console.log(JSON.stringify({ yardstick: fs.readFileSync('test/measure.mjs').length }))`);
    const cheat = commitAsUser(made.user, { 'test/measure.mjs': '' }, 'Cheat');
    git(made.user, 'push', '--quiet', 'origin', 'HEAD:refs/heads/cheat');
    const { start, winner } = await made.call<ResultOf<'code.compare'>>('code.compare', {
      ...{ start: made.base, winner: cheat, base: made.base, rounds: 1 },
    });
    expect(winner).toEqual(start);
  });

  test.each([
    [
      'a measurement that fails',
      `if (add.length === 22) process.exit(3); console.log('{"size":1}')`,
      '',
      'exit code 3',
    ],
    ['one that prints no metrics', `console.log('fast')`, '', 'printed no metrics'],
    ['a setup that fails', `console.log('{"size":1}')`, `if (add.length === 36) process.exit(4)`, 'exit code 4'],
  ])('ends with the first failure: %s', async (_, evaluate, setup, reason) => {
    const { compare, lines } = world(evaluate, setup);
    await expect(compare()).rejects.toMatchObject({
      fault: 'work',
      failure: { reason: expect.stringContaining(reason) },
    });
    expect(lines().filter((line) => line.startsWith('evaluate')).length).toBeLessThanOrEqual(2);
  });
});

test('whatever measures does so one at a time, calls of two workers, too', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'workledger-busy-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const busy = `fs.mkdirSync('${folder}/busy');
    setTimeout(() => { fs.rmdirSync('${folder}/busy'); console.log('{"size":1}'); }, 50);`;
  const [one, two] = [world(busy), world(busy)];
  const question = { commit: one.base, base: one.base };
  const done = await Promise.all([
    one.compare(1),
    two.compare(1),
    one.call('code.evaluate', question, undefined, 'evaluate/1'),
    one.call('code.evaluate', question, undefined, 'evaluate/2'),
  ]);
  expect(done).toHaveLength(4);
  expect([...one.lines(), ...two.lines()].filter((line) => line.startsWith('evaluate'))).toHaveLength(6);
});
