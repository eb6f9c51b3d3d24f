import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfiguration } from '@workledger/shared/config/load.ts';
import { startGithubPlace } from '../testing/github/github-place.ts';
import type { FakeRepository } from '../testing/github/state.ts';
import { systemFolder, type SystemFolder } from '../testing/processes/folder.ts';
import { untilTrue } from '../testing/processes/until.ts';
import { git } from '../testing/repository/git.ts';
import { scriptAgent, shellRegistration, writeRightGreet } from '../testing/repository/shell-repository.ts';
import { deliver, labeledIssue, REPOSITORY, SENDER } from '../testing/system/github.ts';
import { runGuide } from '../testing/system/guide.ts';
import { startInFolder, type RunningSystem } from '../testing/system/in-folder.ts';
import { finalTask } from '../testing/system/tasks.ts';

type Place = Awaited<ReturnType<typeof startGithubPlace>>;

let folder: SystemFolder;
let origin: string;
let fake: Place['fake'];
let connection: Place['connection'];
let repository: FakeRepository;
let system: RunningSystem;

/** Complains about each TODO, as eslint would. */
const LINT = `const lines = require('fs').readFileSync('bin/greet', 'utf8').split('\\n');
const messages = lines.flatMap((line, at) => line.includes('TODO')
  ? [{ ruleId: 'no-todo', severity: 2, message: 'Do it now.', line: at + 1 }] : []);
console.log(JSON.stringify([{ filePath: process.cwd() + '/bin/greet', messages }]));
process.exit(messages.length);`;
const REFUSED = `console.log('{"error":{"code":"ENOAUDIT","summary":"refused"}}'); process.exit(1)`;

const checks = [
  {
    ...{ name: 'lint', command: [process.execPath, '-e', LINT], report: { format: 'eslint' } },
    policy: { failAt: 'high', onlyNew: true },
  },
  {
    ...{ name: 'audit', command: [process.execPath, '-e', REFUSED], report: { format: 'npm-audit' } },
    ...{ policy: { failAt: 'high' }, onUnavailable: 'pass' },
  },
];

const configuration = () => ({
  ...connection,
  repositories: [
    {
      ...{ ...shellRegistration, url: origin, merge: 'pull-request', github: REPOSITORY, checks },
      ...{ trusted: [SENDER], capabilities: ['greeting'], pullRequest: { pollSeconds: 1 } },
    },
  ],
  // It mends what it was told of, and leaves something to do while it was told nothing.
  agents: [
    scriptAgent(
      'greeting',
      `${writeRightGreet}cat > PROMPT\ngrep -q 'high: Do it now' PROMPT || echo '# TODO' >> bin/greet\n`,
    ),
  ],
});

beforeAll(async () => {
  folder = await systemFolder();
  ({ origin, fake, repository, connection } = await startGithubPlace(folder.path));
  repository.files.set(1, [{ filename: 'bin/greet', patch: '@@ -1,2 +1,3 @@\n #!/bin/sh\n-x\n+echo\n+# TODO' }]);
  system = await startInFolder(folder.path, configuration());
}, 60_000);
afterAll(async () => {
  await folder.remove();
  await fake.close();
});

const REVIEWS = /\/pulls\/1\/reviews$/;

test('what a check finds is said once in lines, over kill -9, sends the work back to its agent, and is mended', async () => {
  // Nobody learns whether the review was made: the process dies before.
  fake.fail('POST', REVIEWS, { kind: 'hang-after' });
  const { body } = await deliver(system.client, labeledIssue(12, 'Greet the world'));
  const id = String(body['taskId']);
  await untilTrue(() => Promise.resolve(repository.reviews.has(1)), 60);
  system.program.signal('SIGKILL');
  await system.program.ended;
  system = await startInFolder(folder.path, configuration());

  const head = (): string => repository.branches.get(`workledger/${id}`) ?? '';
  const states = (context: string): string[] =>
    repository.statuses.filter((status) => status.context === context).map(({ state }) => state);
  await untilTrue(() => Promise.resolve(states('workledger/audit').length > 1), 60);
  expect(git(origin, 'show', `${head()}:PROMPT`)).toContain('bin/greet:3: high: Do it now. [no-todo]');
  expect(git(origin, 'show', `${head()}:PROMPT`)).toContain(
    '- The check "lint" is run on it, too, and it must find nothing',
  );
  expect(git(origin, 'show', `${head()}:bin/greet`)).not.toContain('TODO');
  expect(repository.notes.get(1)).toMatchObject([{ path: 'bin/greet', line: 3 }]);
  expect(fake.count('POST', REVIEWS)).toBe(1);
  expect([states('workledger/lint'), states('workledger/tests'), states('workledger/audit')]).toEqual([
    ['failure', 'success'],
    ['success', 'success'],
    ['success', 'success'],
  ]);

  const environment = { WORKLEDGER: system.url, TASK: id, KEY: system.key };
  const guided = await runGuide('checks.md', { cwd: folder.path, environment });
  expect(guided).toMatchObject({ code: 0, output: expect.stringContaining('"rule":"no-todo"') });
  const list = await system.client.expect2xx('GET', `/validations?taskId=${id}&sort=started`, {});
  expect(list.body['items']).toMatchObject([
    { state: 'back-to-work', checks: [{ name: 'tests' }, { name: 'lint', verdict: 'failed', newFindings: 1 }, {}] },
    { state: 'passed', checks: [{}, { verdict: 'passed' }, { name: 'audit', verdict: 'unavailable' }] },
  ]);

  await fake.mergeByPerson(REPOSITORY, 1);
  expect(await finalTask(system.client, id)).toMatchObject({ state: 'complete', result: { merged: true } });
}, 180_000);

test('the example of the guide is a configuration', async () => {
  const guide = await readFile(new URL('../docs/guides/checks.md', import.meta.url), 'utf8');
  const [, example = ''] = /```json\n([\s\S]*?)```/.exec(guide) ?? [];
  expect(parseConfiguration(example, 'checks.md').repositories[0]?.checks.map(({ name }) => name)).toEqual([
    'lint',
    'audit',
    'types',
  ]);
});
