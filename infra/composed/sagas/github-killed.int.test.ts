import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { commitOf } from '@workledger/infra/testing/github/state.ts';
import { startFakeGithub } from '@workledger/infra/testing/github/fake-github.ts';
import { removeFolder, temporaryFolder } from '@workledger/infra/testing/processes/folder.ts';
import { startProgram } from '@workledger/infra/testing/processes/program.ts';
import { untilTrue } from '@workledger/infra/testing/processes/until.ts';
import { expect, onTestFinished, test } from 'vitest';
import type { CallSettings } from './component-call.program.ts';

const run = { taskId: newId(), runId: newId(), repository: 'sample' };
const commit = commitOf('work');
const none = { metricsBefore: null, metrics: null, costUsd: null, tests: null, link: null, issue: null };

/** Of each component that makes something: what it is asked for, and the request by which GitHub makes it. */
const cases = [
  ['github.pull-request', { branch: 'work', base: 'main', draft: false, ...none }, 'POST', /\/pulls$/],
  ['github.comment', { number: 5, about: 'progress', text: 'Working on it.' }, 'POST', /\/comments$/],
  [
    'github.check',
    { commit, name: 'Workledger', externalId: 'one', state: 'success', title: 'Fine', summary: '', link: null },
    'POST',
    /\/check-runs$/,
  ],
  ['github.labels', { number: 5, add: ['in work'], remove: [] }, 'POST', /\/labels$/],
  ['github.delete-branch', { branch: 'work', commit }, 'DELETE', /\/heads\/work$/],
] as const;

async function world() {
  const fake = await startFakeGithub();
  const folder = await temporaryFolder('github');
  onTestFinished(async () => {
    await fake.close();
    await removeFolder(folder);
  });
  await writeFile(join(folder, 'app.pem'), fake.privateKey);
  const repository = fake.addRepository('acme/sample');
  repository.branches.set('work', commit);
  fake.app.installations.set('acme', 41);
  const configuration = {
    github: { url: fake.url, app: { id: 7, key: { file: 'app.pem' } } },
    outbound: { privateHosts: [fake.host] },
    repositories: [{ name: 'sample', url: '/nowhere', test: ['true'], github: 'acme/sample' }],
  };
  const start = (name: string, request: object) => {
    const settings: CallSettings = { configuration, folder, name, request: { ...run, ...request } };
    return startProgram('infra/composed/sagas/component-call.program.ts', [JSON.stringify(settings)]);
  };
  return { fake, repository, start };
}

test.each(cases)('%s killed between request and answer is done once', async (name, request, method, path) => {
  const { fake, start } = await world();
  fake.fail(method, path, { kind: 'hang-after' });
  const killed = start(name, request);
  await untilTrue(() => fake.count(method, path) === 1);
  await killed.end('SIGKILL');
  const next = start(name, request);
  expect(await next.ended, next.written.output).toBe(0);
  expect(fake.count(method, path), 'asked for once in all').toBe(1);
});

test('a merge killed between request and answer is told as merged', async () => {
  const { fake, repository, start } = await world();
  await start('github.pull-request', cases[0][1]).ended;
  fake.fail('PUT', /\/merge$/, { kind: 'hang-after' });
  const request = { number: 1, commit, method: 'merge' };
  const killed = start('github.merge', request);
  await untilTrue(() => fake.count('PUT', /\/merge$/) === 1);
  await killed.end('SIGKILL');
  const next = start('github.merge', request);
  await next.ended;
  expect(JSON.parse(next.written.stdout)).toMatchObject({ outcome: 'merged', commit: repository.branches.get('main') });
  expect(fake.count('PUT', /\/merge$/)).toBe(1);
});
