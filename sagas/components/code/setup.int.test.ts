import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { git } from '@workledger/infra/testing/repository/git.ts';
import { createCodeWorld, createTestArtefacts, type TestArtefacts } from '../testing.ts';
import type { ResultOf } from '../catalogue.ts';
import { describeWithSandbox } from '../sandbox/testing.ts';

let store: TestArtefacts;
beforeAll(async () => void (store = await createTestArtefacts()));
afterAll(() => store.drop());

const FIX = `import { execFileSync } from 'node:child_process';
  import { existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
  writeFileSync('src/add.mjs', 'export const add = (a, b) => a + b;\\n');`;
/** Works like a package manager: what it makes is ignored by git. */
const INSTALL = `mkdirSync('ignored/bin', { recursive: true });
  writeFileSync('ignored/bin/tool', '#!' + process.cwd() + '/ignored/bin/run\\n', { mode: 0o755 });
  symlinkSync(process.cwd() + '/ignored/bin/tool', 'ignored/link');`;

/** `setup` says outside how often it ran. */
function world(agents: Record<string, string>, { install = INSTALL, repository = {}, ...more }: WorldOptions = {}) {
  const made = createCodeWorld(store.artefacts, {
    agents,
    ...more,
    repository: { setup: [process.execPath, 'test/setup.mjs', 'where'], setupInputs: ['test/*.mjs'], ...repository },
  });
  onTestFinished(() => made.remove());
  const ran = join(made.folder, 'ran');
  writeFileSync(
    join(made.user, 'test', 'setup.mjs'),
    `import { appendFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'; ${install}
     try { appendFileSync(${JSON.stringify(ran)}, '.'); } catch {} console.log('installing');`,
  );
  git(made.user, 'add', '--all');
  git(made.user, 'commit', '--quiet', '-m', 'Set up');
  if (made.url !== made.user) git(made.user, 'push', '--quiet', 'origin', 'HEAD:refs/heads/main');
  const base = git(made.user, 'rev-parse', 'HEAD');
  return {
    ...made,
    base,
    runs: () => (existsSync(ran) ? readFileSync(ran, 'utf8').length : 0),
    work: (agent: string, change: object = {}) =>
      made.call<ResultOf<'code.work'>>(
        'code.work',
        made.workRequest(agent, { parent: base, base, label: agent, ...change }),
        undefined,
        `${agent}/${JSON.stringify(change).length}`,
      ),
    validate: (commit: string) => made.call<ResultOf<'code.validate'>>('code.validate', { commit, base }),
    prepared: () => readdirSync(join(made.dataFolder, 'prepared')),
  };
}
type WorldOptions = NonNullable<Parameters<typeof createCodeWorld>[1]> & { install?: string };

test('setup runs once for three candidates at once that are measured, their start and the winner', async () => {
  const see = `console.log(existsSync('ignored/bin/tool'));`;
  const { work, validate, runs, call, base, leftovers, text } = world({
    one: `${FIX} ${see}`,
    two: `${FIX} ${see} writeFileSync('two', '')`,
    three: `${FIX} ${see} writeFileSync('three', '')`,
  });
  const candidates = await Promise.all(['one', 'two', 'three'].map((name) => work(name, { evaluate: true })));
  await call('code.evaluate', { commit: base, base });
  const judged = await validate(candidates[0]?.commit ?? '');
  expect(judged.failure).toBeNull();
  expect(await text(judged.report.digest)).toContain(`copied as it ran on ${base}: ignored`);
  expect(await text(candidates[2]?.output.digest ?? '')).toBe('true\n');
  expect(runs()).toBe(1);
  expect(leftovers()).toEqual([]);
});

test('a copy names its own place, and is no link to what is kept', async () => {
  const { work, text } = world({
    agent: `${FIX} const tool = readFileSync('ignored/bin/tool', 'utf8'); const cwd = process.cwd();
      console.log(JSON.stringify([tool === '#!' + cwd + '/ignored/bin/run\\n', readlinkSync('ignored/link') === cwd + '/ignored/bin/tool',
        statSync('ignored/bin/tool').nlink, (statSync('ignored/bin/tool').mode & 0o777).toString(8)]))`,
  });
  const { output } = await work('agent');
  expect(JSON.parse(await text(output.digest))).toEqual([true, true, 1, '755']);
});

test('what an attempt does to what was prepared, no other sees', async () => {
  const poison = `writeFileSync('ignored/bin/tool', 'poison'); writeFileSync('ignored/more', 'poison');`;
  const see = `console.log(readFileSync('ignored/bin/tool', 'utf8').includes('poison'), existsSync('ignored/more'))`;
  const { work, runs, text } = world({ poison: `${FIX} ${poison}`, next: `${FIX} ${see}` });
  await work('poison');
  expect(await text((await work('next')).output.digest)).toBe('false false\n');
  expect(runs()).toBe(1);
});

test('an attempt that changes what setup reads is judged with a setup of its own, which fills nothing', async () => {
  const see = `writeFileSync('next', ''); console.log(readFileSync('ignored/bin/tool', 'utf8'));`;
  const { work, validate, runs, prepared, text } = world({
    changes: `${FIX} writeFileSync('package.json', '{}')`,
    next: `${FIX} ${see}`,
  });
  const { commit } = await work('changes');
  const before = prepared();
  expect(runs()).toBe(1);
  const { report } = await validate(commit);
  expect(await text(report.digest)).toContain('installing');
  expect(runs()).toBe(2);
  // The next agent, from there: as before, in its own checkout.
  await work('next', { parent: commit });
  expect([runs(), prepared()]).toEqual([3, before]);
});

test('a file that the work has where setup makes one is the work’s', async () => {
  const { work, validate, text, user, base } = world({ agent: FIX });
  await work('agent');
  mkdirSync(join(user, 'ignored', 'bin'), { recursive: true });
  writeFileSync(join(user, 'ignored', 'bin', 'other'), 'mine');
  git(user, 'add', '--force', 'ignored');
  git(user, 'commit', '--quiet', '-m', 'Mine');
  git(user, 'push', '--quiet', 'origin', 'HEAD:refs/heads/side');
  const { report } = await validate(git(user, 'rev-parse', 'HEAD'));
  expect(await text(report.digest)).toMatch(/\[setup\][^\n]*\ninstalling/);
  expect(await text((await validate(base)).report.digest)).toMatch(/\[setup\][^\n]*\ncopied/);
});

test.each([
  ['a program names its place', `${INSTALL} writeFileSync('ignored/program', Buffer.from('\\0' + process.cwd()));`, {}],
  ['it changes a tracked file', `${INSTALL} writeFileSync('src/add.mjs', 'changed');`, {}],
  ['it makes nothing here', '', {}],
  ['it may have built something', INSTALL, { setupInputs: [] }],
  ['the registration says so', INSTALL, { setupCache: false }],
])('setup runs every time where %s', async (_, install, repository) => {
  const { work, runs, base } = world({ agent: FIX }, { install, repository });
  await work('agent');
  const first = runs();
  await work('agent', { evaluate: false });
  expect(runs()).toBe(first + 1);
  expect(base).toHaveLength(40);
});

test('dependencies are kept without a word in the registration', async () => {
  const install = `mkdirSync('src/node_modules'); writeFileSync('src/node_modules/x', '');`;
  const { work, runs } = world({ agent: FIX }, { install, repository: { setupInputs: [] } });
  await work('agent');
  await work('agent', { evaluate: false });
  expect(runs()).toBe(1);
});

test('what setup makes or changes is no work, though git does not ignore it', async () => {
  const install = `mkdirSync('.venv'); writeFileSync('.venv/x', ''); writeFileSync('src/add.mjs', 'changed');`;
  const { work, bare, base } = world({ idle: '', agent: FIX }, { install });
  await expect(work('idle')).rejects.toThrow('the agent changed nothing');
  const { commit } = await work('agent');
  expect(git(bare, 'diff', '--name-only', base, commit)).toBe('src/add.mjs');
});

test('the agent is told what there is: what was prepared, commands, variables by name, its time', async () => {
  const { work, text } = world(
    { agent: FIX },
    { repository: { variables: { MODE: 'quick-value' } }, agent: { limits: { timeoutSeconds: 77 } } },
  );
  const prompt = await text((await work('agent')).prompt.digest);
  for (const said of [
    'setup.mjs where" has been run here',
    'prepared: ignored.',
    'Run the tests: ',
    'Measure: ',
    '77 s',
  ])
    expect(prompt).toContain(said);
  expect(prompt).toContain('CI, MODE');
  expect(prompt).not.toContain('quick-value');
});

test('an agent works where setup fails, and is told with what; the judge fails with it', async () => {
  const { work, text, validate } = world(
    { agent: FIX },
    { install: `console.log('no such package'); process.exit(3);` },
  );
  const { prompt, commit } = await work('agent');
  expect(await text(prompt.digest)).toMatch(/was run here and failed \(exit code 3\):\n {4}no such package/);
  expect((await validate(commit)).failure).toMatchObject({ step: 'setup', exitCode: 3 });
});

test('commands and agents get constants, CI among them; a repository’s secrets are its commands’, and are hidden', async () => {
  process.env['SHOP_TOKEN'] = 'hidden-value';
  process.env['METRIC'] = 'milliseconds';
  onTestFinished(() => ['SHOP_TOKEN', 'METRIC'].forEach((name) => delete process.env[name]));
  const say = `console.log(JSON.stringify([process.env.CI, process.env.MODE, process.env.SHOP_TOKEN, process.env.METRIC]))`;
  const metrics = `${say}; console.log(JSON.stringify({ [process.env.METRIC]: 5 }))`;
  const { work, validate, text } = world(
    { agent: `${FIX} ${say}` },
    {
      repository: {
        variables: { MODE: 'quick' },
        environment: ['METRIC'],
        secrets: ['SHOP_TOKEN'],
        test: [process.execPath, '-e', say],
        evaluate: [process.execPath, '-e', metrics],
      },
    },
  );
  const { commit, output, metrics: measured } = await work('agent', { evaluate: true });
  expect(JSON.parse(await text(output.digest))).toEqual(['1', 'quick', null, null]);
  expect(measured).toEqual({ milliseconds: 5 });
  expect(await text((await validate(commit)).report.digest)).toContain('["1","quick","[hidden]","milliseconds"]');
});

test('what an agent prints is read before it is masked', async () => {
  process.env['KIND_TOKEN'] = 'success';
  onTestFinished(() => void delete process.env['KIND_TOKEN']);
  const result = { type: 'result', subtype: 'success', is_error: false, num_turns: 1, total_cost_usd: 0.5 };
  const { work, text } = world(
    { agent: `${FIX} console.log(${JSON.stringify(JSON.stringify(result))})` },
    { agent: { output: 'claude-json', environment: ['KIND_TOKEN'] } },
  );
  const { costUsd, output } = await work('agent');
  expect(costUsd).toBe(0.5);
  expect(await text(output.digest)).toContain('"subtype":"[hidden]"');
});

describeWithSandbox('in the sandbox', () => {
  test('an attempt neither sees nor reaches what is kept', async () => {
    const poison = `const kept = process.cwd().split('/worktrees/')[0] + '/prepared'; console.log(existsSync(kept));
      try { mkdirSync(kept, { recursive: true }); writeFileSync(kept + '/poison', ''); } catch {}`;
    const made = world(
      { poison: `${FIX} ${poison}`, next: `${FIX} console.log(existsSync('ignored/bin/tool'))` },
      { sandbox: { hidden: [], api: null } },
    );
    mkdirSync(made.dataFolder, { recursive: true });
    expect(await made.text((await made.work('poison')).output.digest)).toBe('false\n');
    expect(await made.text((await made.work('next')).output.digest)).toBe('true\n');
    expect(made.prepared()).toHaveLength(1);
    expect(existsSync(join(made.dataFolder, 'homes', '.setup-sample'))).toBe(true);
  });
});
