import { describe, expect, it } from 'vitest';
import { createGithubWorld } from './testing.ts';

const head = 'a'.repeat(40);
const next = 'b'.repeat(40);
const at = '/repos/acme/sample/pulls/1/reviews';
const finding = { path: 'src/a.ts', line: 2, severity: 'high', message: 'Calls @ada twice' };
const besides = { path: 'src/b.ts', line: 9, severity: 'low', message: 'No test' };

async function world(reviews: object = {}) {
  const made = await createGithubWorld();
  const { repository, configuration, artefacts, call } = made;
  Object.assign(configuration.repositories[0]!, {
    reviews: {
      agent: 'reader',
      verdict: 'request-changes',
      approve: true,
      mostPerPull: 2,
      timeoutSeconds: 60,
      ...reviews,
    },
  });
  repository.branches.set('theirs', head);
  repository.pulls.push({
    ...{ number: 1, title: 'Theirs', body: null, state: 'open', draft: false, merged_at: null },
    ...{ merge_commit_sha: null, head: 'theirs', sha: head, base: 'main' },
  });
  repository.files.set(1, [{ filename: 'src/a.ts', patch: '@@ -1,2 +1,3 @@\n a\n+b\n c' }]);
  const publish = async (findings: readonly object[], of = head, isTrusted = true) => {
    const report = await artefacts.put(
      Buffer.from(JSON.stringify({ summary: 'So so.', findings })),
      'application/json',
    );
    return call('github.review', { number: 1, head: of, report, isTrusted });
  };
  const target = (of: string | null = head) => call('github.review-target', { number: 1, head: of });
  const said = () => (repository.reviews.get(1) ?? []).map(({ state }) => state);
  return { ...made, publish, target, said };
}

describe('a review on GitHub', () => {
  it('is one, with comments on the lines of the change and the rest in its words, and calls nobody', async () => {
    const { publish, said, repository, fake } = await world();
    expect(await publish([finding, besides])).toEqual({ outcome: 'made', comments: 1 });
    expect(said()).toEqual(['CHANGES_REQUESTED']);
    const [review] = repository.reviews.get(1) ?? [];
    expect(review?.body).toContain('`src/b.ts:9`: **low**: No test');
    expect(review?.body).not.toContain('src/a.ts');
    const [note] = repository.notes.get(1) ?? [];
    expect(note).toMatchObject({ path: 'src/a.ts', line: 2, body: expect.not.stringContaining('@ada') as string });
    expect(fake.count('POST', new RegExp(`${at}$`))).toBe(1);
  });

  it('is made once a head, whatever dies, also where the answer was lost', async () => {
    const { publish, said, fake, restart } = await world();
    fake.fail('POST', new RegExp(`${at}$`), { kind: 'drop-after' });
    await publish([finding]).catch(() => undefined);
    await restart();
    expect(await publish([finding])).toMatchObject({ outcome: 'unchanged' });
    expect(said()).toHaveLength(1);
  });

  it('says no more than it is let: words where it asks for no changes, and no approval of strangers', async () => {
    const words = await world({ verdict: 'comment' });
    await words.publish([finding]);
    expect(words.said()).toEqual(['COMMENTED']);
    const stranger = await world();
    await stranger.publish([], head, false);
    expect(stranger.said()).toEqual(['COMMENTED']);
    const trusted = await world();
    await trusted.publish([]);
    expect(trusted.said()).toEqual(['APPROVED']);
    const never = await world({ approve: false });
    await never.publish([]);
    expect(never.said()).toEqual(['COMMENTED']);
  });

  it('of a newer head takes the place of the one before, and does not repeat what stands on its lines', async () => {
    const { publish, said, repository, target } = await world();
    await publish([finding]);
    expect(await target()).toMatchObject({ outcome: 'reviewed' });
    repository.branches.set('theirs', next);
    expect(await publish([finding])).toMatchObject({ outcome: 'superseded' });
    expect(await target()).toMatchObject({ outcome: 'superseded' });
    expect(await target(null)).toMatchObject({ outcome: 'due', head: next });
    expect(await publish([finding], next)).toEqual({ outcome: 'made', comments: 0 });
    expect(said()).toEqual(['DISMISSED', 'CHANGES_REQUESTED']);
    expect(repository.notes.get(1)).toHaveLength(1);
    repository.branches.set('theirs', 'c'.repeat(40));
    expect(await target(null)).toMatchObject({ outcome: 'enough' });
  });

  it('is not due where the pull request is closed, or of Workledger itself', async () => {
    const { target, publish, repository, said } = await world();
    Object.assign(repository.pulls[0]!, { state: 'closed' });
    expect(await target()).toMatchObject({ outcome: 'closed' });
    expect(await publish([finding])).toMatchObject({ outcome: 'closed' });
    Object.assign(repository.pulls[0]!, { state: 'open', head: 'workledger/1' });
    expect(await target()).toMatchObject({ outcome: 'own' });
    expect(said()).toEqual([]);
  });
});
