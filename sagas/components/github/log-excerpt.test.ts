import { commitOf } from '@workledger/infra/testing/github/state.ts';
import { describe, expect, test } from 'vitest';
import { excerptOf } from './log-excerpt.ts';
import { createGithubWorld, pullOf } from './testing.ts';

const commit = commitOf('work');
const asked = { number: 1, except: ['workledger'], heard: { comment: 0, review: 0 } };
const at = (second: number, text: string): string =>
  `2026-11-29T10:00:${String(second).padStart(2, '0')}.1234567Z ${text}`;
const steps = [
  { name: 'Set up', conclusion: 'success', started_at: '2026-11-29T10:00:00Z', completed_at: '2026-11-29T10:00:04Z' },
  { name: 'npm test', conclusion: 'failure', started_at: '2026-11-29T10:00:05Z', completed_at: '2026-11-29T10:00:09Z' },
  { name: 'Post', conclusion: 'success', started_at: '2026-11-29T10:00:10Z', completed_at: '2026-11-29T10:00:11Z' },
];
const log = [
  `\uFEFF${at(1, 'Prepared')}`,
  at(6, '##[group]Run npm test'),
  at(6, '##[endgroup]'),
  at(7, '\u001B[31mnot ok\u001B[0m 1 - adds'),
  'a line of no time',
  at(8, '##[error]Process completed with exit code 1.'),
  at(11, 'Post job cleanup.'),
].join('\r\n');
const excerpt =
  'the end of its log, step "npm test":\nRun npm test\nnot ok 1 - adds\na line of no time\nerror: Process completed with exit code 1.';

async function failedWorld(options: Parameters<typeof createGithubWorld>[0] = {}) {
  const world = await createGithubWorld(options);
  const { repository, call, kept } = world;
  repository.branches.set('workledger/1', commit);
  await call('github.pull-request', pullOf());
  repository.checkRuns.push({
    ...{ id: 501, appId: '9', name: 'ci', head_sha: commit, status: 'completed', conclusion: 'failure' },
    app: { slug: 'github-actions' },
  });
  repository.jobs.set(501, { log, steps });
  const told = async () => {
    const { failure } = await call('github.look', asked);
    return kept.get(failure!.report.digest);
  };
  return { ...world, told };
}

test('what failed is told with the last lines of the failing step, fetched once and without our login', async () => {
  const { told, fake } = await failedWorld();
  expect(await told()).toBe(`check "ci": failure\n${excerpt}`);
  const { remaining } = fake.quota;
  expect(await told()).toBe(`check "ci": failure\n${excerpt}`);
  expect(fake.quota.remaining).toBe(remaining);
  expect(fake.count('GET', /\/actions\/jobs\/501\/logs$/)).toBe(1);
  expect(fake.logs.calls.map(({ headers }) => headers.range)).toEqual(['bytes=0-0', 'bytes=0-']);
  for (const { headers } of fake.logs.calls) {
    expect(headers).not.toHaveProperty('authorization');
    expect(headers).not.toHaveProperty('traceparent');
    expect(JSON.stringify(headers)).not.toContain(fake.token);
  }
});

test('of a long log only its end is fetched, and of one without ranges only the end is kept', async () => {
  const { told, fake, repository } = await failedWorld();
  const long = `${'x'.repeat(79)}\n`.repeat(50_000);
  repository.jobs.set(501, { log: `${long}the end` });
  const first = await told();
  expect(first?.endsWith('x\nthe end')).toBe(true);
  expect(fake.logs.calls.map(({ bytes }) => bytes)).toEqual([1, 200_000]);
  fake.logs.settings.knowsRanges = false;
  repository.checkRuns.splice(0, 1, { ...repository.checkRuns[0]!, id: 502 });
  repository.jobs.set(502, { log: `${long}the end` });
  expect(await told()).toBe(first);
});

describe('without its log', () => {
  test('of a host that nobody named', async () => {
    const { told, configuration, fake, restart } = await failedWorld();
    Object.assign(configuration.github!, { logHosts: ['logs.example', `127.0.0.2:${fake.logs.host.split(':')[1]}`] });
    await restart();
    expect(await told()).toContain(
      `${fake.logs.host} is not among the hosts that are followed to: see "github.logHosts"`,
    );
    expect(fake.logs.calls).toEqual([]);
  });

  test.each([500, 403, 302])('of a store that answers %i; later it is read', async (status) => {
    const { told, fake, github } = await failedWorld();
    fake.logs.settings.status = status;
    expect(await told()).toBe('check "ci": failure');
    // Its refusals are answers; health shows what is none.
    const lastFailure = status === 500 ? { reason: expect.stringMatching(/it answers 500/) } : null;
    expect(github().logs.state()).toMatchObject({ breaker: 'closed', underWay: 0, lastFailure });
    fake.logs.settings.status = 200;
    expect(await told()).toContain('not ok 1');
  });

  test('by a login that may not read it, or of a check that is no job', async () => {
    const { told, repository, fake } = await failedWorld();
    repository.permissions = ['pull_requests=read', 'issues=read', 'statuses=read', 'checks=read'];
    expect(await told()).toContain('the login lacks the permission actions=read');
    repository.checkRuns.splice(0, 1, { ...repository.checkRuns[0]!, id: 503, app: { slug: 'other-ci' } });
    expect(await told()).toBe('check "ci": failure');
    expect(fake.count('GET', /\/jobs\/503/)).toBe(0);
  });
});

test('the excerpt of a log whose step is not known ends at its last error, and of one without errors at its end', () => {
  expect(excerptOf(log, null)).toBe(
    'the end of its log:\nPrepared\nRun npm test\nnot ok 1 - adds\na line of no time\nerror: Process completed with exit code 1.',
  );
  expect(excerptOf('one\ntwo\n', null)).toBe('the end of its log:\none\ntwo');
  expect(excerptOf('', null)).toBe('');
});
