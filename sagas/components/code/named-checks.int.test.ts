import { mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { CheckConfiguration } from '@workledger/shared/config/checks.ts';
import { finding as findingSchema, type Finding } from '@workledger/shared/contexts/evolution/validation/checks.ts';
import { commitAsUser, git, type Files } from '@workledger/infra/testing/repository/git.ts';
import { createCodeWorld, createTestArtefacts, type TestArtefacts } from '../testing.ts';
import type { ResultOf } from '../catalogue.ts';

let store: TestArtefacts;
beforeAll(async () => void (store = await createTestArtefacts()));
afterAll(() => store.drop());

const node = process.execPath;
type Check = Partial<Omit<CheckConfiguration, 'policy'>> & { readonly name: string; readonly policy?: unknown };

/** A linter of a few lines: `no-var` wherever a line says `var`, as SARIF. */
const LINT = `
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
const results = readdirSync('src').flatMap((name) =>
  readFileSync('src/' + name, 'utf8').split('\\n').flatMap((line, at) => line.includes('var ')
    ? [{ ruleId: 'no-var', level: 'error', message: { text: 'Unexpected var.' },
        locations: [{ physicalLocation: { artifactLocation: { uri: 'src/' + name }, region: { startLine: at + 1 } } }] }]
    : []));
const sarif = { version: '2.1.0', runs: [{ tool: { driver: { name: 'lint' } }, results }] };
writeFileSync('lint.sarif', JSON.stringify(sarif));
process.exit(results.length > 0 ? 1 : 0);
`;
const lint: Check = {
  name: 'lint',
  command: [node, 'test/lint.mjs'],
  report: { format: 'sarif', path: 'lint.sarif' },
  policy: { failAt: 'high', onlyNew: true },
};
const script = (name: string, code: string, more: Partial<Check> = {}): Check => ({
  ...{ name, command: [node, '-e', code] },
  ...more,
});

function world(checks: readonly Check[], before: Files = {}, repository: object = {}) {
  const made = createCodeWorld(store.artefacts, { repository: { checks, ...repository } });
  onTestFinished(() => made.remove());
  const base = commitAsUser(made.user, { 'test/lint.mjs': LINT, ...before }, 'A linter');
  git(made.user, 'push', '--quiet', '--force', 'origin', 'HEAD:refs/heads/main');
  const change = (files: Files): string => {
    const commit = commitAsUser(made.user, files, 'Change');
    git(made.user, 'push', '--quiet', '--force', 'origin', 'HEAD:refs/heads/other');
    git(made.user, 'reset', '--quiet', '--hard', base);
    return commit;
  };
  const validate = async (files: Files) => {
    const result = await made.call<ResultOf<'code.validate'>>('code.validate', { commit: change(files), base });
    const of = (name: string) => result.checks?.find((check) => check.name === name);
    const found = async (name: string): Promise<Finding[]> => {
      const stored = of(name)?.findings;
      return stored ? findingSchema.array().parse(JSON.parse(await made.text(stored.digest))) : [];
    };
    return { ...result, of, found, log: await made.text(result.report.digest) };
  };
  return { ...made, base, validate };
}

const fixed: Files = { 'src/add.mjs': 'export const add = (a, b) => a + b;\n' };

test('two named checks, one with SARIF: only what is new refuses the work, and the agent reads it by file and line', async () => {
  const old = { 'src/old.mjs': 'var before = 1;\nexport { before };\n' };
  const { validate, leftovers } = world([lint, script('types', 'console.log("fine")')], old);
  const good = await validate({ ...fixed, 'src/old.mjs': '\n\n  var before = 1;\nexport { before };\n' });
  expect(good.failure).toBeNull();
  expect(good.checks?.map(({ name, verdict }) => [name, verdict])).toEqual([
    ['tests', 'passed'],
    ['lint', 'passed'],
    ['types', 'passed'],
  ]);
  expect(good.of('lint')).toMatchObject({ counts: { high: 1 }, newFindings: 0, exitCode: 1 });
  const bad = await validate({ ...fixed, 'src/new.mjs': 'export {};\nvar added = 1;\n' });
  expect(bad.failure).toMatchObject({
    step: 'check',
    reason: 'check "lint": 1 finding (1 high) that the base has not: none of high or above may be',
    lastLines: ['src/new.mjs:2: high: Unexpected var. [no-var]'],
    log: bad.report,
  });
  expect(bad.log.trimEnd().split('\n').slice(-3)).toEqual([
    `check lint: failed: ${bad.of('lint')?.reason}`,
    'src/new.mjs:2: high: Unexpected var. [no-var]',
    'src/old.mjs:1: high: Unexpected var. [no-var] (the base has it too)',
  ]);
  expect((await bad.found('lint')).map(({ path, line, isNew }) => [path, line, isNew])).toEqual([
    ['src/new.mjs', 2, true],
    ['src/old.mjs', 1, false],
  ]);
  expect(leftovers()).toEqual([]);
});

test('who has no named check has what there was before', async () => {
  const { validate } = world([]);
  const good = await validate(fixed);
  expect(good).toMatchObject({ failure: null });
  expect(good).not.toHaveProperty('checks');
});

describe('a report', () => {
  const reading = async (command: string, more: Partial<Check> = {}, files: Files = {}) => {
    const check = script('scan', command, { ...lint, name: 'scan', command: [node, '-e', command], ...more });
    const { of, failure, log } = await world([check]).validate({ ...fixed, ...files });
    return { ...of('scan')!, failure, log };
  };

  test('that is missing is told, and decides as the policy says', async () => {
    const absent = 'no report at lint.sarif';
    expect(await reading('0')).toMatchObject({ verdict: 'failed', reason: absent, failure: { step: 'check' } });
    expect(await reading('0', { onUnavailable: 'pass' })).toMatchObject({ verdict: 'unavailable', failure: null });
    expect(await reading('0', { onUnavailable: 'ask' })).toMatchObject({ verdict: 'asks', failure: null });
    expect(await reading('0', { policy: 'advisory' })).toMatchObject({ verdict: 'unavailable', failure: null });
  });

  test('that the work itself brought is none', async () => {
    const clean = '{"version":"2.1.0","runs":[]}';
    expect(await reading('0', {}, { 'lint.sarif': clean })).toMatchObject({ reason: 'no report at lint.sarif' });
  });

  test('that is a link to elsewhere, a folder or a pipe is none', async () => {
    const link = `require('fs').symlinkSync('/etc/hostname', 'lint.sarif')`;
    expect(await reading(link)).toMatchObject({ verdict: 'failed', reason: 'no report at lint.sarif', report: null });
    expect(await reading(`require('fs').mkdirSync('lint.sarif')`)).toMatchObject({ reason: 'lint.sarif is no file' });
    const pipe = `require('child_process').execFileSync('mkfifo', ['lint.sarif'])`;
    expect(await reading(pipe)).toMatchObject({ reason: 'lint.sarif is no file' });
    const folder = `require('fs').symlinkSync('/etc', 'out')`;
    const report = { format: 'sarif' as const, path: 'out/hostname' };
    expect(await reading(folder, { report })).toMatchObject({ reason: 'no report at out/hostname', report: null });
  });

  test('that is too large, or not what it says it is, is refused in words', async () => {
    const large = `require('fs').writeFileSync('lint.sarif', Buffer.alloc(10_000_001, 32))`;
    expect((await reading(large)).reason).toBe('the report has 10000001 bytes: at most 10000000 are read');
    expect((await reading(`require('fs').writeFileSync('lint.sarif', '<html>')`)).reason).toBe('the report is no JSON');
    const report = { format: 'eslint' as const, path: null };
    expect((await reading('console.log("{}")', { report })).reason).toMatch(/^the report is no eslint: /);
  });

  test('may be what the command prints; paths out of the repository and secrets are not kept', async () => {
    process.env['CHECKS_SECRET'] = 'hunter-of-secrets';
    onTestFinished(() => void delete process.env['CHECKS_SECRET']);
    const code = `console.log(JSON.stringify([{ filePath: '/etc/passwd', messages: [{ ruleId: 'x', severity: 2,
      message: 'seen ' + process.env.CHECKS_SECRET + '\\u001b[2J', line: 3 }] }]))`;
    const check = script('scan', code, { report: { format: 'eslint', path: null }, policy: { failAt: 'high' } });
    const { of, found, text, log } = Object.assign(
      await world([check], {}, { secrets: ['CHECKS_SECRET'] }).validate(fixed),
      { text: async (digest: string) => Buffer.from((await store.artefacts.get(digest))!.bytes).toString() },
    );
    const [one] = await found('scan');
    expect(one).toMatchObject({ path: null, line: null, message: 'seen [hidden]\\u001b[2J' });
    expect(await text(of('scan')!.report!.digest)).not.toContain('hunter');
    expect(log).not.toContain('hunter');
    expect(log).not.toContain('"filePath"');
    expect(log).toContain('check scan: failed: 1 finding (1 high)');
  });
});

test('a registry that refuses is told in one line', async () => {
  const told = { message: '405 Method Not Allowed - POST https://registry.example.org/', error: { summary: '' } };
  const code = `console.log(${JSON.stringify(JSON.stringify(told))}); process.exit(1)`;
  const audit = script('audit', code, { report: { format: 'npm-audit', path: null }, policy: { failAt: 'high' } });
  const { of } = await world([{ ...audit, onUnavailable: 'pass' }]).validate(fixed);
  expect(of('audit')).toMatchObject({
    verdict: 'unavailable',
    reason: 'npm audit could not ask its registry: 405 Method Not Allowed - POST https://registry.example.org/',
  });
});

test('a check that does not end in its own time is ended, and does not hold up the others', async () => {
  const slow = script('slow', 'setInterval(() => {}, 1000)', { timeoutSeconds: 1, policy: 'required' });
  const { of, failure } = await world([slow, script('quick', '0')]).validate(fixed);
  expect(of('slow')).toMatchObject({ verdict: 'failed', reason: 'it did not come to its end: no end within 1 s' });
  expect(of('quick')).toMatchObject({ verdict: 'passed' });
  expect(failure).toMatchObject({ step: 'check', reason: expect.stringContaining('check "slow"') });
});

test('checks beside the tests have a checkout of their own; those that may not run beside have theirs', async () => {
  const seen = `require('fs').writeFileSync('left-by-' + process.argv[1], ''); console.log(require('fs').readdirSync('.').filter((name) => name.startsWith('left')).join())`;
  const leave = (name: string, parallel: boolean): Check => ({ name, command: [node, '-e', seen, name], parallel });
  const { log } = await world([leave('a', false), leave('b', false), leave('c', true)]).validate(fixed);
  expect(log).toContain('left-by-a,left-by-b\n');
  expect(log).toMatch(/(^|\n)left-by-c\n/);
});

test('a check that is for other files is skipped', async () => {
  const docs = script('docs', 'process.exit(1)', { when: { changed: ['docs', '*.md'] } });
  const { validate } = world([docs]);
  expect((await validate(fixed)).of('docs')).toMatchObject({ verdict: 'skipped' });
  expect((await validate({ ...fixed, 'x/README.md': 'x' })).of('docs')).toMatchObject({ verdict: 'failed' });
});

test('the base is asked once: what it has is remembered by its commit', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'workledger-checks-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'asked');
  const code = `require('fs').appendFileSync(${JSON.stringify(file)}, 'x'); import(process.cwd() + '/test/lint.mjs')`;
  const { validate } = world([{ ...lint, command: [node, '-e', code] }]);
  const bad = { ...fixed, 'src/new.mjs': 'var added = 1;\n' };
  expect((await validate(bad)).of('lint')).toMatchObject({ verdict: 'failed', newFindings: 1 });
  expect(readFileSync(file, 'utf8')).toBe('xx');
  expect((await validate({ ...bad, 'src/more.mjs': 'var more = 1;\n' })).of('lint')).toMatchObject({ newFindings: 2 });
  expect(readFileSync(file, 'utf8')).toBe('xxx');
});
