import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGithubPlace } from '../testing/github/github-place.ts';
import { passedBeside } from '../testing/github/git-branches.ts';
import type { FakeRepository } from '../testing/github/state.ts';
import { systemFolder, type SystemFolder } from '../testing/processes/folder.ts';
import { untilTrue } from '../testing/processes/until.ts';
import { git } from '../testing/repository/git.ts';
import { scriptAgent, shellRegistration, writeRightGreet } from '../testing/repository/shell-repository.ts';
import { closedIssue, deliver, labeledIssue, REPOSITORY, SENDER, signed } from '../testing/system/github.ts';
import { runGuide } from '../testing/system/guide.ts';
import { startInFolder, type RunningSystem } from '../testing/system/in-folder.ts';
import { finalTask, taskWhen, type Task } from '../testing/system/tasks.ts';

type WithPull = Task & { readonly pullRequest: { readonly number: number; readonly url: string } | null };

type Place = Awaited<ReturnType<typeof startGithubPlace>>;

let folder: SystemFolder;
let origin: string;
let fake: Place['fake'];
let connection: Place['connection'];
let app: Place['app'];
let repository: FakeRepository;
let system: RunningSystem;

const configuration = (pullRequest: object = {}) => ({
  ...connection,
  repositories: [
    {
      ...{ ...shellRegistration, url: origin, merge: 'pull-request', github: REPOSITORY },
      ...{ trusted: [SENDER, 'user-1'], capabilities: ['greeting'], pullRequest: { pollSeconds: 1, ...pullRequest } },
    },
  ],
  agents: [scriptAgent('greeting', `${writeRightGreet}cat > PROMPT; date +%N >> NOTES\n`)],
});

beforeAll(async () => {
  folder = await systemFolder();
  ({ origin, fake, repository, connection, app } = await startGithubPlace(folder.path));
  system = await startInFolder(folder.path, configuration());
}, 60_000);
afterAll(async () => {
  await folder.remove();
  await fake.close();
});

const headOf = (branch: string): string => git(origin, 'rev-parse', `refs/heads/${branch}`);
const promptAt = (commit: string): string => git(origin, 'show', `${commit}:PROMPT`);

async function ask(issue: number): Promise<string> {
  const { body, status } = await deliver(system.client, labeledIssue(issue, 'Greet the world'));
  expect(status).toBe(202);
  return String(body['taskId']);
}

const passed = (taskId: string, before: string | null): Promise<string> => passedBeside(repository, taskId, before);

const pullOf = (taskId: string) => repository.pulls.find(({ head }) => head === `workledger/${taskId}`);

/** A person presses the button. */
const personMerges = (number: number): Promise<number> => fake.mergeByPerson(REPOSITORY, number);

describe('work that is merged by a pull request', { timeout: 120_000 }, () => {
  test('goes from the issue to its pull request, back for a red check and a review, over kill -9, and is merged by a person', async () => {
    const id = await ask(12);
    const first = await passed(id, null);
    const task = (await taskWhen(system.client, id, ({ state }) => state === 'validation')) as WithPull;
    expect(task.pullRequest).toEqual({ number: 1, url: expect.stringContaining('/acme/sample/pull/1') });
    expect(pullOf(id)).toMatchObject({ state: 'open', title: 'Greet the world', base: 'trunk' });
    expect(pullOf(id)?.body).toMatch(/Tests: (running|passed).*Closes #12/s);

    const environment = { WORKLEDGER: system.url, TASK: id, KEY: system.key };
    const guided = await runGuide('pull-requests.md', { cwd: folder.path, environment });
    expect(guided).toMatchObject({ code: 0, output: expect.stringContaining('number: 1') });

    repository.requiredChecks.push('ci');
    repository.statuses.push({ sha: first, context: 'ci', state: 'failure', description: '3 problems in bin/greet' });
    expect(await personMerges(1)).toBe(405);
    const second = await passed(id, first);
    expect(promptAt(second)).toContain('3 problems in bin/greet');

    system.program.signal('SIGKILL');
    await system.program.ended;
    system = await startInFolder(folder.path, configuration());
    repository.reviews.set(1, [{ id: 21, user: 1, state: 'CHANGES_REQUESTED', body: 'Greet the moon, too.' }]);
    const third = await passed(id, second);
    expect(promptAt(third)).toContain('Greet the moon, too.');

    repository.statuses.push({ sha: third, context: 'ci', state: 'success' });
    expect(await personMerges(1)).toBe(200);
    repository.requiredChecks.pop();
    const done = await finalTask(system.client, id);
    expect(done).toMatchObject({ state: 'complete', result: { merged: true, commit: third } });
    expect(headOf('trunk')).toBe(third);
    expect(done.history.filter(({ type }) => type === 'TaskSentBack')).toHaveLength(2);
    expect(repository.pulls).toHaveLength(1);
    expect(fake.count('POST', /\/pulls$/)).toBe(1);
    await untilTrue(() => Promise.resolve(repository.labels.get(12)?.join() === 'workledger:done'), 30);
    const told = repository.comments.filter(({ number }) => number === 12);
    expect(told.map(({ body }) => body)).toEqual([expect.stringContaining(`It is done, and merged: ${third}`)]);
    expect(fake.count('POST', /\/issues\/12\/comments$/)).toBe(1);
    const ours = repository.statuses.filter(({ context }) => context === 'workledger');
    expect(ours.map(({ sha, state }) => `${sha} ${state}`)).toEqual(
      [first, second, third].flatMap((commit) => [`${commit} pending`, `${commit} success`]),
    );
  });

  test('is closed with words when its task is cancelled', async () => {
    const id = await ask(13);
    await passed(id, null);
    await system.client.expect2xx('POST', `/tasks/${id}/cancel`, { body: { reason: 'no longer wanted' } });
    const { number } = pullOf(id)!;
    await untilTrue(() => Promise.resolve(repository.comments.some((comment) => comment.number === number)), 30);
    expect(pullOf(id)?.state).toBe('closed');
    await untilTrue(() => Promise.resolve(repository.labels.get(13)?.includes('workledger:cancelled') ?? false), 30);
    expect(repository.comments.find((comment) => comment.number === number)?.body).toContain('no longer wanted');
  });

  test('fails where a person closes it unmerged', async () => {
    const id = await ask(14);
    await passed(id, null);
    Object.assign(pullOf(id)!, { state: 'closed' });
    const failed = await finalTask(system.client, id);
    expect([failed.state, failed.failure?.reason]).toEqual([
      'failed',
      `pull request #${pullOf(id)?.number} was closed and not merged`,
    ]);
  });

  test('is done at once where GitHub tells of its merge, long before it is looked at again', async () => {
    await system.stop();
    system = await startInFolder(folder.path, configuration({ pollSeconds: 3_000 }));
    const id = await ask(16);
    await passed(id, null);
    const { number } = pullOf(id)!;
    await untilTrue(() => Promise.resolve(fake.count('GET', new RegExp(`/pulls/${number}/reviews`)) > 0), 30);
    expect(await personMerges(number)).toBe(200);
    const pull_request = { number, head: { ref: `workledger/${id}` }, merged: true };
    const told = { action: 'closed', repository: { full_name: REPOSITORY }, sender: { login: 'ada' }, pull_request };
    expect((await deliver(system.client, signed(JSON.stringify(told), 'pull_request'))).body).toMatchObject({
      ...{ outcome: 'routed', taskId: id },
    });
    expect(await finalTask(system.client, id)).toMatchObject({ state: 'complete', result: { merged: true } });
  });

  test.each([
    ['GitHub closes its issue by the merge', 17],
    ['somebody cancels it before that is seen', 18],
  ])('that somebody merged is complete, and its issue told so, where %s', async (_, issue) => {
    const asked = labeledIssue(issue, 'Greet the world');
    const id = String((await deliver(system.client, asked)).body['taskId']);
    await passed(id, null);
    const { number } = pullOf(id)!;
    await untilTrue(() => Promise.resolve(fake.count('GET', new RegExp(`/pulls/${number}/reviews`)) > 0), 30);
    expect(await personMerges(number)).toBe(200);
    if (issue === 17) expect((await deliver(system.client, closedIssue(asked))).body).toMatchObject({ taskId: id });
    else await system.client.expect2xx('POST', `/tasks/${id}/cancel`, { body: { reason: 'no longer wanted' } });
    const now = async () => (await system.client.expect2xx('GET', `/tasks/${id}`)).body;
    await untilTrue(async () => (await now())['state'] === 'complete', 60);
    expect(await now()).toMatchObject({ result: { merged: true, commit: headOf('trunk') } });
    await untilTrue(() => Promise.resolve(repository.labels.get(issue)?.join() === 'workledger:done'), 30);
    const told = repository.comments.find((comment) => comment.number === issue);
    expect(told?.body).toContain('It is done, and merged');
  });

  test('is merged by Workledger once its checks are green, where that is allowed: as an App, with a check run', async () => {
    await system.stop();
    const settings = configuration({ mergedBy: 'workledger', method: 'squash' });
    system = await startInFolder(folder.path, { ...settings, github: app });
    const before = fake.calls.length;
    const id = await ask(15);
    const head = await passed(id, null);
    const [run, ...others] = repository.checkRuns.filter((run) => run['head_sha'] === head);
    expect([others, run]).toMatchObject([[], { name: 'workledger', output: { summary: '- tests: passed' } }]);
    expect(repository.statuses.filter(({ sha }) => sha === head)).toEqual([]);
    const logins = fake.calls.slice(before).filter(({ path }) => /\/(pulls|check-runs|comments)/.test(path));
    expect(new Set(logins.map(({ login }) => login?.kind))).toEqual(new Set(['installation']));
    expect(fake.count('POST', /^\/app\/installations\/41\/access_tokens$/)).toBe(1);
    repository.statuses.push({ sha: head, context: 'ci', state: 'success' });
    const done = await finalTask(system.client, id);
    expect(done).toMatchObject({ state: 'complete', result: { merged: true, commit: head } });
    expect(fake.count('PUT', new RegExp(`/pulls/${pullOf(id)?.number}/merge$`))).toBe(1);
  });
});
