import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { ArtefactReference } from '@workledger/shared/contexts/values.ts';
import { ComponentFailure } from '../../engine/component.ts';
import { createCodeWorld, createTestArtefacts, type TestArtefacts } from '../testing.ts';
import { git } from '@workledger/infra/testing/repository/git.ts';
import { eventuallyGone } from '@workledger/infra/testing/processes/processes.ts';
import { resultOf } from '../git/names.ts';
import type { ResultOf } from '../catalogue.ts';

let store: TestArtefacts;
beforeAll(async () => void (store = await createTestArtefacts()));
afterAll(() => store.drop());

function world(script: string, options: Parameters<typeof createCodeWorld>[1] = {}) {
  const made = createCodeWorld(store.artefacts, { agents: { agent: script }, ...options });
  onTestFinished(() => made.remove());
  return made;
}

const failureOf = async (work: Promise<unknown>): Promise<ComponentFailure> => {
  const error: unknown = await work.then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason,
  );
  if (error instanceof ComponentFailure) return error;
  throw error as Error;
};

const fix = `import { writeFileSync } from 'node:fs';
writeFileSync('src/add.mjs', 'export const add = (a, b) => a + b;\\n');`;

describe('an agent that edits the code', () => {
  test('has its change committed on top of the parent and kept in the origin, with prompt, output and diff', async () => {
    const { call, workRequest, base, bare, inRun, text, leftovers } = world(
      `${fix} process.stdin.on('data', (d) => process.stdout.write(d)).on('end', () => console.log('I fixed it'));`,
    );
    const result = await call<ResultOf<'code.work'>>('code.work', workRequest('agent'));
    const ref = resultOf(inRun, 'generate-1', result.commit);
    expect(git(bare, 'rev-parse', ref)).toBe(result.commit);
    expect(git(bare, 'rev-parse', `${ref}^`)).toBe(base);
    expect(git(bare, 'log', '-1', '--format=%an <%ae>', ref)).toBe('Workledger <workledger@localhost>');
    const diffStat = { files: 1, insertions: 1, deletions: 1 };
    expect(result).toMatchObject({ exitCode: 0, costUsd: null, metrics: null, diffStat });
    expect(await text(result.diff.digest)).toContain('+export const add = (a, b) => a + b;');
    const prompt = await text(result.prompt.digest);
    expect(prompt).toMatch(/# Fix add\n\nIt subtracts\./);
    expect(prompt).toMatch(/must not change[^\n]*test/);
    expect(prompt).toContain(`## What of the code may matter\n${await text(result.context!.digest)}`);
    expect(result.gathered?.files).toContain('src/add.mjs');
    expect(await text(result.output.digest)).toBe(`${prompt}I fixed it\n`);
    expect(leftovers()).toEqual([]);
  });

  test('is measured by the evaluate command when asked, in a clean worktree with the protected paths of the base', async () => {
    const cheat = `writeFileSync('test/measure.mjs', 'console.log(JSON.stringify({ size: 0 }))');`;
    const { call, workRequest } = world(`${fix} ${cheat}`);
    const result = await call<ResultOf<'code.work'>>('code.work', workRequest('agent', { evaluate: true }));
    expect(result.metrics).toEqual({ size: 'export const add = (a, b) => a + b;\n'.length });
  });

  test('does its work anew when the same key comes again', async () => {
    const { call, workRequest, bare, inRun } = world(fix);
    const run = (): Promise<ResultOf<'code.work'>> => call<ResultOf<'code.work'>>('code.work', workRequest('agent'));
    for (const { commit } of [await run(), await run()])
      expect(git(bare, 'rev-parse', resultOf(inRun, 'generate-1', commit))).toBe(commit);
  });

  test('gets the end of the log of the last attempt as feedback', async () => {
    const { call, workRequest, text } = world(fix);
    const lines = Array.from({ length: 300 }, (_, index) => `line ${index}`);
    const log: ArtefactReference = await store.artefacts.put(Buffer.from(lines.join('\n')), 'text/plain');
    const { prompt } = workRequest('agent');
    const feedback = { reason: 'a test failed', log };
    const result = await call<ResultOf<'code.work'>>(
      'code.work',
      workRequest('agent', { prompt: { ...prompt, feedback } }),
    );
    const said = await text(result.prompt.digest);
    expect(said).toContain('a test failed');
    expect(said).toContain('line 299');
    expect(said).toContain('line 100');
    expect(said).not.toContain('line 99\n');
  });

  test('may commit by itself: its commits stay, what it left uncommitted comes on top, ignored files stay out', async () => {
    const { call, workRequest, base, bare } = world(`${fix}
      import { execFileSync } from 'node:child_process'; import { mkdirSync } from 'node:fs';
      execFileSync('git', ['commit', '--all', '--message', 'My own commit']);
      mkdirSync('ignored'); writeFileSync('ignored/file', 'x'); writeFileSync('new.txt', 'new');`);
    const { commit } = await call<ResultOf<'code.work'>>('code.work', workRequest('agent'));
    expect(git(bare, 'log', '--format=%s', `${base}..${commit}`).split('\n')).toEqual(['Fix add', 'My own commit']);
    expect(git(bare, 'diff', '--name-only', base, commit).split('\n')).toEqual(['new.txt', 'src/add.mjs']);
  });

  test('may set a filter: none of our calls runs it, and the next worktree does not know it', async () => {
    const evil = `import { execFileSync } from 'node:child_process'; import { mkdirSync } from 'node:fs';
      import { dirname, join } from 'node:path';
      const git = (...args) => execFileSync('git', args, { encoding: 'utf8' }).trim();
      const ran = \`touch \${join(dirname(process.argv[1]), 'ran')}; cat\`;
      for (const kind of ['clean', 'smudge']) git('config', 'filter.evil.' + kind, ran);
      git('config', 'extensions.worktreeConfig', 'true'); git('config', '--worktree', 'filter.evil.required', 'true');
      const info = join(git('rev-parse', '--git-common-dir'), 'info');
      mkdirSync(info, { recursive: true }); writeFileSync(join(info, 'attributes'), '* filter=evil');
      writeFileSync('.gitattributes', '* filter=evil');`;
    const looks = `import { execFileSync } from 'node:child_process';
      console.log(execFileSync('git', ['config', '--list'], { encoding: 'utf8' }));
      console.log(execFileSync('git', ['check-attr', 'filter', 'src/add.mjs'], { encoding: 'utf8' }));`;
    const made = world('', { agents: { agent: `${fix} ${evil}`, next: `${fix} ${looks}` } });
    const { commit } = await made.call<ResultOf<'code.work'>>('code.work', made.workRequest('agent'));
    await made.call('code.validate', { commit, base: made.base });
    const next = await made.call<ResultOf<'code.work'>>('code.work', made.workRequest('next', { label: 'next-1' }));
    expect(existsSync(join(made.folder, 'ran'))).toBe(false);
    const seen = await made.text(next.output.digest);
    expect(seen).toContain('user.name=Workledger');
    expect(seen).not.toMatch(/evil|worktreeconfig/i);
  });

  test('may even replace the .git of its folder', async () => {
    const { call, workRequest } = world(`${fix} import { rmSync } from 'node:fs'; rmSync('.git', { recursive: true });
      import { execFileSync } from 'node:child_process'; execFileSync('git', ['init', '--quiet']);`);
    const result = await call<ResultOf<'code.work'>>('code.work', workRequest('agent'));
    expect(result.diffStat).toEqual({ files: 1, insertions: 1, deletions: 1 });
  });

  test('may move a submodule that was there to another commit, as in a clone', async () => {
    const made = world(`${fix} import { execFileSync } from 'node:child_process';
      const git = (...args) => execFileSync('git', ['-C', 'sub', '-c', 'user.name=a', '-c', 'user.email=a@b', ...args]);
      execFileSync('git', ['init', '--quiet', 'sub']); git('commit', '--quiet', '--allow-empty', '-m', 'Newer');
      console.log(git('rev-parse', 'HEAD').toString().trim());`);
    git(made.user, 'update-index', '--add', '--cacheinfo', `160000,${made.base},sub`);
    git(made.user, 'commit', '--quiet', '-m', 'With a submodule');
    git(made.user, 'push', '--quiet', 'origin', 'HEAD:refs/heads/main');
    const parent = git(made.user, 'rev-parse', 'HEAD');
    const { commit, output } = await made.call<ResultOf<'code.work'>>(
      'code.work',
      made.workRequest('agent', { parent }),
    );
    const moved = (await made.text(output.digest)).trim();
    expect(git(made.bare, 'ls-tree', commit, 'sub')).toBe(`160000 commit ${moved}\tsub`);
  });

  test('may leave a daemon behind: it is killed', async () => {
    const made = world(`${fix} import { spawn } from 'node:child_process';
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'inherit' });
      child.unref(); console.log(child.pid); process.exit(0);`);
    const { output } = await made.call<ResultOf<'code.work'>>('code.work', made.workRequest('agent'));
    const pid = Number(await made.text(output.digest));
    expect(pid).toBeGreaterThan(1);
    expect(await eventuallyGone(pid)).toBe(true);
  });

  test('may print 100 MB: the output is cut', async () => {
    const { call, workRequest } = world(
      `${fix} const block = 'x'.repeat(999_999) + '\\n'; let left = 100;
       const more = () => { if (left-- > 0) process.stdout.write(block, more); }; more();`,
      { agent: { limits: { maxOutputBytes: 10_000 } } },
    );
    const { output } = await call<ResultOf<'code.work'>>('code.work', workRequest('agent'));
    expect(output.size).toBeLessThan(11_000);
  });
});

test('what an agent was handed as a secret is hidden wherever it says it', async () => {
  process.env['CODE_TEST_SECRET'] = 'open sesame 1';
  onTestFinished(() => void delete process.env['CODE_TEST_SECRET']);
  const options = { agent: { environment: ['CODE_TEST_SECRET'], output: 'claude-json' } };
  const says = `const secret = process.env.CODE_TEST_SECRET; console.log('got ' + secret);
    console.log(JSON.stringify({ type: 'result', num_turns: 1, is_error: process.argv[1].includes('failing'), result: secret }));`;
  const made = world(`${fix} ${says}`, { ...options, agents: { agent: `${fix} ${says}`, failing: says } });
  const { output } = await made.call<ResultOf<'code.work'>>('code.work', made.workRequest('agent'));
  expect(await made.text(output.digest)).toMatch(/^got \[hidden\]\n/);
  const { failure, message } = await failureOf(made.call('code.work', made.workRequest('failing')));
  expect(failure.reason).toMatch(/reports an error: \[hidden\]/);
  expect(failure.lastLines[0]).toBe('got [hidden]');
  expect(`${message}${JSON.stringify(failure)}${await made.text(failure.log?.digest ?? '')}`).not.toContain('sesame');
});

describe('an agent fails by name when it', () => {
  test('exits with 1: command, exit code, last lines and the whole log are told', async () => {
    const { call, workRequest, text, leftovers, folder } = world(
      `for (let i = 1; i <= 30; i++) console.log('line ' + i); process.exit(1);`,
    );
    const error = await failureOf(call('code.work', workRequest('agent')));
    const { failure } = error;
    expect(error).toMatchObject({ retryable: true, fault: 'work' });
    expect(failure).toMatchObject({ step: 'work', reason: 'agent "agent": exit code 1', exitCode: 1 });
    expect(failure.command).toEqual([process.execPath, join(folder, 'agent.mjs')]);
    expect(failure.lastLines).toEqual(Array.from({ length: 20 }, (_, index) => `line ${index + 11}`));
    expect(await text(failure.log!.digest)).toMatch(/^line 1\n/);
    expect(await text(error.prompt!.digest)).toContain('# Fix add');
    expect(leftovers()).toEqual([]);
  });

  test('hangs', async () => {
    const { call, workRequest, leftovers } = world(`console.log('thinking'); setInterval(() => {}, 1000);`, {
      agent: { limits: { timeoutSeconds: 1 } },
    });
    const { failure } = await failureOf(call('code.work', workRequest('agent')));
    expect(failure).toMatchObject({ reason: 'agent "agent": no end within 1 s', lastLines: ['thinking'] });
    expect(leftovers()).toEqual([]);
  });

  test('changes nothing', async () => {
    const { call, workRequest } = world(`console.log('looks fine to me')`);
    const { failure, retryable } = await failureOf(call('code.work', workRequest('agent')));
    expect(failure).toMatchObject({
      reason: 'the agent changed nothing',
      exitCode: 0,
      lastLines: ['looks fine to me'],
    });
    expect(retryable).toBe(true);
  });

  test('leaves more than 50 MB', async () => {
    const { call, workRequest } = world(`${fix} writeFileSync('huge.bin', Buffer.alloc(51_000_000));`);
    const { failure } = await failureOf(call('code.work', workRequest('agent')));
    expect(failure.reason).toMatch(/over 50000000 bytes, up to huge\.bin/);
  });

  test('leaves a git repository inside the repository', async () => {
    const { call, workRequest } = world(`${fix} import { execFileSync } from 'node:child_process';
      execFileSync('git', ['init', '--quiet', 'inner']); writeFileSync('inner/file', 'x');
      execFileSync('git', ['add', '--all'], { cwd: 'inner' });
      execFileSync('git', ['commit', '--quiet', '--message', 'Inner'], { cwd: 'inner', env: { ...process.env,
        GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@b', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@b' } });`);
    const { failure } = await failureOf(call('code.work', workRequest('agent')));
    expect(failure.reason).toMatch(/^inner\/? is a git repository inside the repository/);
  });

  test('is not there', async () => {
    const { call, workRequest } = world(fix, { agent: { command: ['no-such-agent'] } });
    const { failure, retryable } = await failureOf(call('code.work', workRequest('agent')));
    expect(failure.reason).toMatch(/cannot start "no-such-agent"/);
    expect(retryable).toBe(false);
  });

  test('is none of the configuration', async () => {
    const { call, workRequest } = world(fix);
    const { failure, retryable } = await failureOf(call('code.work', workRequest('other')));
    expect([failure.reason, retryable]).toEqual([
      expect.stringMatching(/none of the configured command agents/),
      false,
    ]);
  });

  test('breaks the measurement: the failure is the command of the registration', async () => {
    const { call, workRequest } = world(`import { rmSync } from 'node:fs'; rmSync('src/add.mjs');`);
    const { failure } = await failureOf(call('code.work', workRequest('agent', { evaluate: true })));
    expect(failure).toMatchObject({ step: 'evaluate', reason: 'exit code 1', exitCode: 1 });
  });
});

test('cancelling kills the agent and removes its worktree', async () => {
  const made = world(`import { writeFileSync } from 'node:fs'; import { dirname, join } from 'node:path';
    writeFileSync(join(dirname(process.argv[1]), 'started'), String(process.pid)); setInterval(() => {}, 1000);`);
  const controller = new AbortController();
  const failed = failureOf(made.call('code.work', made.workRequest('agent'), controller.signal));
  const started = join(made.folder, 'started');
  // A file is there before what is written to it.
  while (!existsSync(started) || readFileSync(started, 'utf8') === '') await sleep(20);
  expect(made.leftovers().length).toBeGreaterThan(0);
  controller.abort();
  expect(await failed).toMatchObject({ failure: { reason: 'stopped before its end' }, retryable: true });
  expect(await eventuallyGone(Number(readFileSync(started, 'utf8')))).toBe(true);
  expect(made.leftovers()).toEqual([]);
});

describe('an agent with claude-json output', () => {
  const saying = (result: object, code = 0) =>
    world(`${fix} console.log(JSON.stringify(${JSON.stringify(result)})); process.exit(${code});`, {
      agent: { output: 'claude-json' },
    });
  const good = {
    type: 'result',
    subtype: 'success',
    is_error: false,
    num_turns: 3,
    result: 'Done',
    total_cost_usd: 0.25,
  };

  test('is judged by its result object, and its cost is told', async () => {
    const { call, workRequest } = saying(good);
    expect(await call<ResultOf<'code.work'>>('code.work', workRequest('agent'))).toMatchObject({
      exitCode: 0,
      costUsd: 0.25,
    });
  });

  test('failed when the object reports an error, though it exits with 0; what it cost is told', async () => {
    const { call, workRequest } = saying({ ...good, is_error: true, result: 'API Error: 500' });
    const error = await failureOf(call('code.work', workRequest('agent')));
    expect(error.failure.reason).toMatch(/reports an error: API Error: 500/);
    expect(error.costUsd).toBe(0.25);
  });
});
