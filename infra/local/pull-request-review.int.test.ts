import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reviewIdOf } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGithubPlace } from '../testing/github/github-place.ts';
import type { FakeRepository } from '../testing/github/state.ts';
import { systemFolder, type SystemFolder } from '../testing/processes/folder.ts';
import { untilTrue } from '../testing/processes/until.ts';
import { git } from '../testing/repository/git.ts';
import { scriptAgent, shellRegistration } from '../testing/repository/shell-repository.ts';
import { deliver, REPOSITORY, SENDER, signed } from '../testing/system/github.ts';
import { runGuide } from '../testing/system/guide.ts';
import { startInFolder, type RunningSystem } from '../testing/system/in-folder.ts';

type Place = Awaited<ReturnType<typeof startGithubPlace>>;

let folder: SystemFolder;
let person: string;
let origin: string;
let fake: Place['fake'];
let connection: Place['connection'];
let repository: FakeRepository;
let system: RunningSystem;

/** Reviews what it reads, but for a head that has SLOW: that takes for ever. */
const script = `cat > prompt; echo begun >> "$BEGUN"; while [ -e SLOW ]; do sleep 0.2; done
line=$(grep -n bad NOTES | head -n 1 | cut -d: -f1)
echo "{\\"summary\\": \\"Read.\\", \\"findings\\": [{\\"path\\": \\"NOTES\\", \\"line\\": $line, \\"severity\\": \\"high\\", \\"message\\": \\"bad\\"}]}" > workledger-review.json
`;

const configuration = () => ({
  ...connection,
  repositories: [
    {
      ...{ ...shellRegistration, url: origin, github: REPOSITORY, trusted: [SENDER], test: ['true'] },
      variables: { BEGUN: join(folder.path, 'begun') },
      reviews: { agent: 'reader', authors: 'all', verdict: 'request-changes', label: 'look' },
    },
  ],
  agents: [scriptAgent('reader', script)],
  sandbox: 'off',
});

beforeAll(async () => {
  folder = await systemFolder();
  ({ person, origin, fake, repository, connection } = await startGithubPlace(folder.path));
  system = await startInFolder(folder.path, configuration());
}, 60_000);
afterAll(async () => {
  await folder.remove();
  await fake.close();
});

/** A person pushes to their branch; the host keeps its head under a ref of its own. */
function push(number: number, files: Readonly<Record<string, string | null>>): string {
  for (const [name, text] of Object.entries(files))
    if (text === null) git(person, 'rm', '--quiet', name);
    else writeFileSync(join(person, name), text);
  git(person, 'add', '--all');
  git(person, 'commit', '--quiet', '-m', 'Their work');
  const head = git(person, 'rev-parse', 'HEAD');
  git(
    person,
    'push',
    '--quiet',
    '--force',
    origin,
    `HEAD:refs/heads/theirs-${number}`,
    `HEAD:refs/pull/${number}/head`,
  );
  repository.files.set(number, [{ filename: 'NOTES', patch: '@@ -1,3 +1,4 @@\n first\n second\n third\n+bad' }]);
  if (!repository.pulls.some((pull) => pull.number === number))
    repository.pulls.push({
      ...{ number, title: 'Theirs', body: null, state: 'open', draft: false, merged_at: null },
      ...{ merge_commit_sha: null, head: `theirs-${number}`, sha: head, base: 'trunk' },
    });
  return head;
}

function tell(number: number, head: string, action: string, author = SENDER, more: object = {}) {
  const told = {
    ...{ action, repository: { full_name: REPOSITORY }, sender: { login: author } },
    pull_request: {
      number,
      user: { login: author },
      head: { sha: head, ref: `theirs-${number}`, repo: null },
      labels: [],
    },
    ...more,
  };
  return deliver(system.client, signed(JSON.stringify(told), 'pull_request'));
}

type Pipeline = {
  readonly state: string;
  readonly steps: readonly { readonly step: string }[];
  readonly failure: object;
};
async function pipelineWhen(number: number, head: string, is: (row: Pipeline) => boolean): Promise<Pipeline> {
  let row: Pipeline | null = null;
  await untilTrue(async () => {
    row = await system.client.find<Pipeline>(`/pipelines/${reviewIdOf('greeter', number, head)}`);
    return row !== null && is(row);
  }, 60);
  return row!;
}
const posted = (number: number): number => fake.count('POST', new RegExp(`/pulls/${number}/reviews$`));

describe('a pull request of others', { timeout: 120_000 }, () => {
  test('is reviewed once at its newest head: over kill -9, a delivery that comes twice, and a push in the middle', async () => {
    const slow = push(1, { SLOW: '', NOTES: 'first\nsecond\nthird\nbad\n' });
    expect((await tell(1, slow, 'opened')).body).toMatchObject({ outcome: 'routed' });
    await tell(1, slow, 'labeled', SENDER, { label: { name: 'look' } });
    await pipelineWhen(1, slow, ({ steps }) => steps.some(({ step }) => step === 'examine'));

    system.program.signal('SIGKILL');
    await system.program.ended;
    system = await startInFolder(folder.path, configuration());
    const head = push(1, { SLOW: null });
    await tell(1, head, 'synchronize', SENDER, { before: slow });
    expect(await pipelineWhen(1, head, ({ state }) => state !== 'running')).toMatchObject({ state: 'completed' });
    expect(await pipelineWhen(1, slow, ({ state }) => state !== 'running')).toMatchObject({ state: 'cancelled' });

    const [review, ...others] = repository.reviews.get(1) ?? [];
    expect(others).toEqual([]);
    expect(review).toMatchObject({ state: 'CHANGES_REQUESTED', body: expect.stringContaining(head) as string });
    expect(repository.notes.get(1)).toMatchObject([
      { path: 'NOTES', line: 4, body: expect.stringContaining('bad') as string },
    ]);
    const environment = { WORKLEDGER: system.url, KEY: system.key, REVIEW: reviewIdOf('greeter', 1, head) };
    const guided = await runGuide('reviews.md', { cwd: folder.path, environment });
    expect(guided).toMatchObject({ code: 0, output: expect.stringContaining('completed') as string });
    await tell(1, head, 'reopened');
    await deliver(
      system.client,
      signed(
        JSON.stringify({
          ...{ action: 'created', repository: { full_name: REPOSITORY }, sender: { login: SENDER } },
          issue: { number: 1, state: 'open', pull_request: {}, user: { login: SENDER } },
          comment: { id: 5, body: '@workledger review' },
        }),
        'issue_comment',
      ),
    );
    const asked = reviewIdOf('greeter', 1, 'comment 5');
    await untilTrue(async () => {
      const row = await system.client.find<Pipeline>(`/pipelines/${asked}`);
      return row?.state === 'completed';
    }, 30);
    expect(posted(1)).toBe(1);
  });

  test('of a stranger is not read where there is no sandbox, and that is told', async () => {
    const head = push(2, { NOTES: 'first\nsecond\nthird\nbad\nmore\n' });
    await tell(2, head, 'opened', 'eve');
    expect(await pipelineWhen(2, head, ({ state }) => state !== 'running')).toMatchObject({
      ...{ state: 'failed', failure: { reason: expect.stringContaining('in a sandbox only') as string } },
    });
    expect(posted(2)).toBe(0);
  });
});
