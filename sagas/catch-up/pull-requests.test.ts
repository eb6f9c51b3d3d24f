import { commitOf } from '@workledger/infra/testing/github/state.ts';
import { describe, expect, test } from 'vitest';
import { createGithubWorld } from '../components/github/testing.ts';
import type { Found, Look } from './look.ts';
import { lookAtIssues } from './polling.ts';
import { lookAtPulls, type PullsCursor } from './pull-requests.ts';

const NAME = 'acme/sample';
const NOW = Date.parse('2026-11-29T12:00:00Z');
const ago = (minutes: number): string => new Date(NOW - 60_000 * minutes).toISOString();

async function world() {
  const made = await createGithubWorld();
  const { repository } = made;
  const found: Found[] = [];
  const hand = (one: Found): Promise<void> => Promise.resolve(void found.push(one));
  const look = (change: Partial<Look> = {}): Look => ({
    ...{ github: made.github(), signal: new AbortController().signal, now: NOW, pages: 10, quotaShare: 0.2 },
    ...{ redeliveries: 3, ...change },
  });
  const open = (number: number, minutes: number, change: object = {}) => {
    const pull = {
      ...{ number, title: 'Of others', body: 'please', state: 'open' as const, draft: false, merged_at: null },
      ...{ merge_commit_sha: null, head: `theirs/${number}`, sha: commitOf(`${number}`), base: 'main', login: 'eve' },
      ...{ created_at: ago(minutes), updated_at: ago(minutes), ...change },
    };
    repository.pulls.push(pull);
    return pull;
  };
  return { ...made, repository, found, hand, look, open };
}

describe('what is said of a pull request, by a token', () => {
  const before = { event: 100, comment: 0, commentsSince: ago(60) };

  test('is told as GitHub tells it: with the pull request, and what stands in it', async () => {
    const { fake, repository, found, hand, look, open } = await world();
    open(9, 50, { body: '<!-- workledger:begin task=1 ' });
    for (const [id, number, body] of [
      [11, 9, '@workledger approve'],
      [12, 7, '@workledger approve'],
      [13, 9, 'nothing for us'],
    ] as const)
      repository.comments.push({ id, number, login: 'user-1', body, at: ago(20) });
    await lookAtIssues(look(), { name: NAME, reviews: null }, before, hand);
    expect(found).toMatchObject([
      {
        ...{ event: 'issue_comment', deliveryId: 'found-comment-11' },
        body: {
          ...{ action: 'created', repository: { full_name: NAME }, sender: { login: 'user-1' } },
          comment: { id: 11, body: '@workledger approve' },
          issue: {
            ...{ number: 9, state: 'open', body: '<!-- workledger:begin task=1 ', user: { login: 'eve' } },
            ...{ author_association: 'CONTRIBUTOR', pull_request: {} },
          },
        },
      },
      { deliveryId: 'found-comment-12', body: { issue: { number: 7 } } },
    ]);
    expect(found[1]?.body).not.toHaveProperty('issue.pull_request');
    expect(fake.count('GET', /\/pulls\/\d+$/)).toBe(1);
  });

  test('waits where little of the quota is left, and is told then', async () => {
    const { fake, repository, found, hand, look, open } = await world();
    open(9, 50);
    repository.comments.push({ id: 11, number: 9, login: 'user-1', body: '@workledger review', at: ago(20) });
    // The lists may still be read, and nothing more.
    fake.quota.remaining = 1_001;
    const cut = await lookAtIssues(look(), { name: NAME, reviews: null }, before, hand);
    expect([found, cut]).toEqual([[], { cursor: before, seen: expect.objectContaining({ cut: 'quota' }) }]);
    await lookAtIssues(look({ quotaShare: 0 }), { name: NAME, reviews: null }, cut.cursor, hand);
    expect(found.map(({ deliveryId }) => deliveryId)).toEqual(['found-comment-11']);
  });

  test('asks for a review by a label or in its own field, where pull requests are reviewed', async () => {
    const { repository, found, hand, look, open } = await world();
    open(9, 50);
    repository.labels.set(9, ['Look']);
    const event = (id: number, event: string, more: object = {}) => ({
      ...{
        id,
        event,
        created_at: ago(30),
        actor: { login: 'user-1' },
        issue: { number: 9, pull_request: {} },
        ...more,
      },
    });
    repository.issueEvents.push(
      event(101, 'labeled', { label: { name: 'look' } }),
      event(102, 'labeled', { label: { name: 'other' } }),
      event(103, 'review_requested', { requested_reviewer: { login: 'workledger' } }),
      event(104, 'closed'),
    );
    const { cursor } = await lookAtIssues(look(), { name: NAME, reviews: { label: 'look' } }, before, hand);
    expect(found).toMatchObject([
      { event: 'pull_request', body: { action: 'labeled', label: { name: 'look' }, sender: { login: 'user-1' } } },
      { body: { action: 'review_requested', requested_reviewer: { login: 'workledger' } } },
    ]);
    expect(found[0]?.body).toMatchObject({ pull_request: { number: 9, head: { sha: commitOf('9') } } });
    expect(cursor.event).toBe(104);
    repository.labels.delete(9);
    await lookAtIssues(look(), { name: NAME, reviews: { label: 'look' } }, before, hand);
    expect(found.slice(2).map(({ deliveryId }) => deliveryId)).toEqual(['found-event-103']);
  });
});

describe('pull requests that may be ones to review', () => {
  const before: PullsCursor = { begun: ago(60), since: ago(60), heads: {} };

  test('are found when they were opened and when they were pushed to, once, and cost nothing while nothing is new', async () => {
    const { fake, found, hand, look, open } = await world();
    open(1, 90, { updated_at: ago(40) });
    const pushed = open(2, 30);
    open(3, 20, { updated_at: ago(10) });
    open(4, 15, { state: 'closed' });
    open(5, 14, { head: 'workledger/1' });
    open(6, 0.5);
    const first = await lookAtPulls(look(), NAME, before, hand);
    expect(found).toMatchObject([
      {
        ...{ event: 'pull_request', deliveryId: `found-pull-2-${commitOf('2')}` },
        body: {
          ...{ action: 'opened', repository: { full_name: NAME }, sender: { login: 'eve' } },
          pull_request: { number: 2, draft: false, head: { ref: 'theirs/2', repo: { full_name: NAME } } },
        },
      },
      // Somebody did something to it since: whose push that was is not told.
      { body: { action: 'opened', sender: null, pull_request: { number: 3 } } },
    ]);
    expect(first.seen).toMatchObject({ found: 2, cut: null });
    const later = { now: NOW + 600_000 };
    const second = await lookAtPulls(look(later), NAME, first.cursor, hand);
    expect(found.slice(2)).toMatchObject([{ body: { action: 'opened', pull_request: { number: 6 } } }]);
    Object.assign(pushed, { sha: commitOf('pushed'), updated_at: new Date(NOW + 100_000).toISOString() });
    const third = await lookAtPulls(look(later), NAME, second.cursor, hand);
    expect(found.slice(3)).toMatchObject([
      { body: { action: 'synchronize', sender: null, before: commitOf('2'), pull_request: { number: 2 } } },
    ]);
    await lookAtPulls(look(later), NAME, third.cursor, hand);
    const { remaining } = fake.quota;
    expect((await lookAtPulls(look(later), NAME, third.cursor, hand)).seen.found).toBe(0);
    expect([fake.quota.remaining, found.length]).toEqual([remaining, 4]);
  });

  test('of before it began are nobody’s loss, and are looked for while there is quota for it', async () => {
    const { fake, found, hand, look, open } = await world();
    open(1, 30);
    expect((await lookAtPulls(look(), NAME, null, hand)).cursor).toEqual({ begun: ago(0), since: ago(0), heads: {} });
    expect(fake.calls).toEqual([]);
    fake.quota.remaining = 900;
    await look().github.ask({ repository: NAME, method: 'GET', path: '/pulls/1', signal: look().signal });
    expect(await lookAtPulls(look(), NAME, before, hand)).toEqual({
      ...{ cursor: before, seen: { found: 0, redelivered: 0, givenUp: 0, cut: 'quota' } },
    });
    expect(found).toEqual([]);
  });
});
