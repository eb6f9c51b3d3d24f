import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { git } from '@workledger/infra/testing/repository/git.ts';
import { ComponentFailure } from '../../engine/component.ts';
import type { ResultOf } from '../catalogue.ts';
import { openMirror } from '../git/mirror.ts';
import { keptRef } from '../git/names.ts';
import { createCodeWorld, createTestArtefacts, type TestArtefacts } from '../testing.ts';

let store: TestArtefacts;
beforeAll(async () => void (store = await createTestArtefacts()));
afterAll(() => store.drop());

/** Programs are written as code, their answers as JSON. */
const print = (answer: object): string =>
  `console.log(${JSON.stringify(JSON.stringify({ type: 'result', ...answer }))});`;

/** An agent that mends the code, says what it cost, and counts its runs; what else it does is code. */
const agent = (more = ''): string => `import { appendFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
const folder = dirname(process.argv[1]);
appendFileSync(join(folder, 'runs'), 'x');
writeFileSync('src/add.mjs', 'export const add = (a, b) => a + b;\\n');
${more}
console.log(JSON.stringify({ type: 'result', subtype: 'success', is_error: false, num_turns: 1, total_cost_usd: 0.25 }));`;

function world(more?: string, options: Parameters<typeof createCodeWorld>[1] = {}) {
  const agents = { agent: agent(more) };
  const made = createCodeWorld(store.artefacts, { agents, agent: { output: 'claude-json' }, ...options });
  onTestFinished(() => made.remove());
  const hook = (name: string, script: string): void => {
    const file = join(made.bare, 'hooks', name);
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
  };
  return { ...made, hook, runs: () => readFileSync(join(made.folder, 'runs'), 'utf8').length };
}

async function failureOf(action: Promise<unknown>): Promise<ComponentFailure> {
  const error = await action.then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason,
  );
  if (error instanceof ComponentFailure) return error;
  throw error as Error;
}

describe('what the origin refuses', () => {
  test('a branch named workledger is told before an agent runs', async () => {
    const { call, bare } = world();
    git(bare, 'branch', 'workledger', 'main');
    const error = await failureOf(call('code.prepare', {}));
    expect(error.failure.reason).toMatch(/the origin has a branch named workledger.*rename it/);
    expect(error).toMatchObject({ retryable: false, fault: 'work' });
  });

  test('a branch named workledger that came later is told by git itself, and is not tried again', async () => {
    const { call, bare, workRequest, inRun, base } = world();
    const { commit } = await call<ResultOf<'code.work'>>('code.work', workRequest('agent'));
    git(bare, 'branch', 'workledger', 'main');
    const branch = `workledger/${inRun.taskId}`;
    const error = await failureOf(call('code.publish', { commit, base, branch }));
    expect(error.failure.reason).toMatch(/the origin has a branch named workledger.*rename it/);
    expect(error).toMatchObject({ retryable: false, fault: 'origin' });
  });

  test.each([
    ['refs/workledger/*', 'case "$1" in refs/workledger/*) echo "no such namespace here"; exit 1;; esac', 'update'],
    [
      'the author',
      'while read old new ref; do git log -1 --format=%ae $new | grep -q @localhost && { echo "author is unknown"; exit 1; }; done',
      'pre-receive',
    ],
  ])('a hook that refuses %s: one run, and the work is kept and named', async (what, script, name) => {
    const made = world();
    const { call, workRequest, inRun, dataFolder, url } = made;
    made.hook(name, script);
    const error = await failureOf(call('code.work', workRequest('agent')));
    expect(made.runs()).toBe(1);
    expect(error).toMatchObject({ retryable: false, fault: 'origin', costUsd: 0.25 });
    expect(error.failure.reason).toMatch(/a hook of the origin refuses "refs\/workledger/);
    expect(error.failure.reason).toMatch(what === 'the author' ? /author is unknown/ : /no such namespace here/);
    const commit = /\(([0-9a-f]{40})\)$/.exec(error.failure.reason)?.[1] ?? 'no commit is named';
    const mirror = await openMirror(dataFolder, url);
    expect(git(mirror.gitFolder, 'rev-parse', keptRef(inRun, 'generate-1', commit))).toBe(commit);
    expect(git(mirror.gitFolder, 'show', `${commit}:src/add.mjs`)).toContain('a + b');
  });

  test('an origin that goes away while the agent works: its work goes on, and is pushed when it is published', async () => {
    // The origin is asked by a program of ours in place of ssh, which answers as long as there is no file `away`.
    const made = world(`writeFileSync(join(folder, 'away'), '');`, { repository: { url: 'ssh://origin/shop.git' } });
    const { call, workRequest, inRun, base, bare, folder } = made;
    const ssh = join(folder, 'ssh');
    const away = join(folder, 'away');
    const refuse = `echo 'connect to host origin port 22: Connection refused' >&2; exit 255`;
    const lines = [`[ "$1" = -G ] && exit 1`, `if [ -e '${away}' ]; then ${refuse}; fi`];
    const answer = `case "$*" in *receive*) git-receive-pack '${bare}';; *) git-upload-pack '${bare}';; esac`;
    writeFileSync(ssh, ['#!/bin/sh', ...lines, answer, ''].join('\n'), { mode: 0o755 });
    vi.stubEnv('GIT_SSH_COMMAND', ssh);
    onTestFinished(() => void vi.unstubAllEnvs());

    const { commit } = await call<ResultOf<'code.work'>>('code.work', workRequest('agent'));
    expect(existsSync(away)).toBe(true);
    expect(git(bare, 'for-each-ref', 'refs/workledger')).toBe('');
    const branch = `workledger/${inRun.taskId}`;
    const error = await failureOf(call('code.publish', { commit, base, branch }));
    expect(error).toMatchObject({ retryable: true, fault: 'origin' });
    rmSync(away);
    await call('code.publish', { commit, base, branch });
    expect(git(bare, 'rev-parse', branch)).toBe(commit);
    expect(made.runs()).toBe(1);
  });
});

describe('how an agent ended', () => {
  const seconds = Math.floor(Date.now() / 1_000) + 3_600;
  const words = `Claude AI usage limit reached|${seconds}`;

  test.each([
    ['is_error: true', true],
    ['is_error: false', false],
  ])('a usage limit with %s is a limit, until its end, and costs nothing', async (_, is_error) => {
    const answer = { subtype: 'success', is_error, num_turns: 1, result: words, total_cost_usd: 0.01 };
    const { call, workRequest } = world(`${print(answer)} process.exit(0);`);
    const error = await failureOf(call('code.work', workRequest('agent')));
    const until = new Date(seconds * 1_000).toISOString();
    expect(error).toMatchObject({ retryable: true, fault: 'limit', until, costUsd: null });
    expect(error.failure.reason).toBe(`agent "agent": ${words}`);
  });

  test('a usage limit of an agent that prints text is one, too', async () => {
    const more = `console.error('API Error: 529 overloaded_error'); process.exit(1);`;
    const { call, workRequest } = world(more, { agent: { output: 'text' } });
    const error = await failureOf(call('code.work', workRequest('agent')));
    expect(error).toMatchObject({ retryable: true, fault: 'limit', until: null });
  });

  test('JSON that ends in the middle: with exit code 0 its change goes on to the tests', async () => {
    const cut = JSON.stringify({ type: 'result', result: 'x'.repeat(70_000) }).slice(0, 65_536);
    const more = `writeFileSync(1, ${JSON.stringify(cut)}); process.exit(0);`;
    const result = await (async () => {
      const { call, workRequest } = world(more);
      return call<ResultOf<'code.work'>>('code.work', workRequest('agent'));
    })();
    expect(result).toMatchObject({ costUsd: null, exitCode: 0, diffStat: { files: 1 } });
    const nothing = world(`writeFileSync('src/add.mjs', 'export const add = (a, b) => a - b;\\n'); ${more}`);
    const error = await failureOf(nothing.call('code.work', nothing.workRequest('agent')));
    expect(error.failure.reason).toMatch(
      /changed nothing \(the output ends in the middle of its JSON after 65,536 bytes\)/,
    );
    const failing = world(more.replace('exit(0)', 'exit(3)'));
    const exit = await failureOf(failing.call('code.work', failing.workRequest('agent')));
    expect(exit.failure.reason).toMatch(/the output ends in the middle of its JSON after 65,536 bytes/);
  });

  test('"result": null is no result in words, and no failure', async () => {
    const answer = { subtype: 'success', is_error: false, num_turns: 2, result: null, total_cost_usd: 0.5 };
    const { call, workRequest } = world(`${print(answer)} process.exit(0);`);
    expect(await call('code.work', workRequest('agent'))).toMatchObject({ costUsd: 0.5 });
  });
});
