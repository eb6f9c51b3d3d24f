import { configurationId } from '@workledger/shared/contexts/sync/configuration/events.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { describe, expect, test } from 'vitest';
import { createGithubWorld } from '../components/github/testing.ts';
import { lookAtDeliveries, type DeliveriesCursor } from './deliveries.ts';
import { lookAtInstalled, type Installing } from './installed.ts';
import type { Found, Look } from './look.ts';
import { lookAtIssues, type PollingCursor } from './polling.ts';

const NOW = Date.parse('2026-11-29T12:00:00Z');
const ago = (minutes: number): string => new Date(NOW - 60_000 * minutes).toISOString();
const POST = /\/attempts$/;

async function world(as: 'token' | 'app', bounds: Partial<Look> = {}) {
  const made = await createGithubWorld({ as });
  const look = (): Look => ({
    ...{ github: made.github(), signal: new AbortController().signal, now: NOW, pages: 10, quotaShare: 0.2 },
    ...{ redeliveries: 3, ...bounds },
  });
  return { ...made, look };
}

describe('failed deliveries of an app', () => {
  const before: DeliveriesCursor = { since: NOW - 3_600_000, tries: {} };
  const at = (minutes: number, status_code: number, change: object = {}) => ({
    ...{ id: Math.round(10_000 - minutes), guid: newId(), delivered_at: ago(minutes), redelivery: false, status_code },
    ...change,
  });

  test('are sent again once each, those that came are not, nor those of before or of this minute', async () => {
    const { fake, look } = await world('app');
    const guid = newId();
    fake.deliveries.push(
      at(90, 502),
      at(50, 502),
      at(40, 200),
      at(30, 502, { guid }),
      at(29, 202, { guid }),
      at(0.5, 0),
    );
    const first = await lookAtDeliveries(look(), before);
    expect(first.seen).toEqual({ found: 0, redelivered: 1, givenUp: 0, cut: null });
    expect(fake.calls.filter(({ method }) => method === 'POST').map(({ path }) => path)).toEqual([
      '/app/hook/deliveries/9950/attempts',
    ]);
    expect(first.cursor.since).toBe(NOW - 50 * 60_000);
    const second = await lookAtDeliveries({ ...look(), now: NOW + 20_000 }, first.cursor);
    expect(second.seen.redelivered).toBe(0);
    expect(second.cursor.since).toBe(NOW - 40_000);
    expect(fake.count('POST', POST)).toBe(1);
  });

  test('that go on failing are given up after three tries, also where GitHub lists none of them', async () => {
    const { fake, look } = await world('app');
    fake.settings.redeliveredStatus = 502;
    fake.deliveries.push(at(50, 502));
    let cursor: DeliveriesCursor = before;
    const seen: number[] = [];
    for (let pass = 0; pass < 6; pass++) {
      fake.deliveries.splice(1);
      const told = await lookAtDeliveries({ ...look(), now: NOW + pass * 300_000 }, cursor);
      cursor = told.cursor;
      seen.push(told.seen.redelivered + 10 * told.seen.givenUp);
    }
    expect(seen).toEqual([1, 1, 1, 10, 0, 0]);
    expect(fake.count('POST', POST)).toBe(3);
    expect(cursor.tries).toEqual({});
  });

  test('are found over all pages, but nothing is looked for where little of the quota is left', async () => {
    const { fake, look } = await world('app');
    fake.deliveries.push(at(50, 502), ...Array.from({ length: 250 }, (_, index) => at(40 - index / 10, 200)));
    expect((await lookAtDeliveries(look(), before)).seen.redelivered).toBe(1);
    expect(fake.count('GET', /^\/app\/hook/)).toBe(3);
    fake.quota.remaining = 500;
    const cut = await lookAtDeliveries({ ...look(), quotaShare: 0.5 }, before);
    const again = await lookAtDeliveries({ ...look(), quotaShare: 0.5 }, cut.cursor);
    expect(again).toEqual({ cursor: before, seen: { found: 0, redelivered: 0, givenUp: 0, cut: 'quota' } });
    expect(fake.count('GET', /^\/app\/hook/)).toBe(4);
  });

  test('of before it began are nobody’s loss', async () => {
    const { fake, look } = await world('app');
    fake.deliveries.push(at(50, 502));
    expect((await lookAtDeliveries(look(), null)).cursor).toEqual({ since: NOW, tries: {} });
    expect(fake.calls).toEqual([]);
  });
});

describe('what an app is installed for', () => {
  const installing = async (...answers: (readonly string[])[]) => {
    const { look } = await world('app');
    const taken: string[][] = [];
    let looks = 0;
    const seen = () =>
      Object.fromEntries((answers[looks++] ?? []).map((name) => [name, { url: '/', baseBranch: 'b' }]));
    const of: Installing = {
      actor: 'saga:x',
      installed: {
        name: 'github.installed',
        perform: () => Promise.resolve({ environment: 'staging', installed: seen() }),
      },
      commands: {
        send: ({ type, target, data }) => {
          expect([type, target]).toEqual(['configuration.take-installed', configurationId('staging')]);
          taken.push(Object.keys((data as { installed: object }).installed));
          return Promise.resolve({ id: target, stream: '', revision: 0, token: '', details: {} });
        },
      },
    };
    return {
      taken,
      run: (left = 1) => lookAtInstalled({ ...look(), github: { ...look().github, quotaLeft: () => left } }, of),
    };
  };

  test('is taken until the same is seen twice', async () => {
    const { run, taken } = await installing(['acme/a'], ['acme/a', 'acme/b'], ['acme/a', 'acme/b']);
    expect((await run()).seen).toEqual({ found: 0, redelivered: 0, givenUp: 0, cut: null });
    expect(taken).toEqual([['acme/a'], ['acme/a', 'acme/b']]);
  });

  test('is not looked at where little of the quota is left', async () => {
    const { run, taken } = await installing(['acme/a']);
    expect((await run(0.1)).seen.cut).toBe('quota');
    expect(taken).toEqual([]);
  });
});

describe('what happened to issues, by a token', () => {
  const before: PollingCursor = { event: 100, comment: 0, commentsSince: ago(60) };
  const issue = { number: 7, title: 'Slow', state: 'open', labels: [{ name: 'workledger' }], updated_at: ago(1) };
  const event = (id: number, change: object = {}) => ({
    ...{ id, event: 'labeled', created_at: ago(30), actor: { login: 'ada' }, label: { name: 'workledger' }, issue },
    ...change,
  });
  const polling = async () => {
    const made = await world('token');
    const found: Found[] = [];
    const poll = (cursor: unknown = before, change: Partial<Look> = {}) =>
      lookAtIssues({ ...made.look(), ...change }, { name: 'acme/sample', reviews: null }, cursor, (one) =>
        Promise.resolve(void found.push(one)),
      );
    return { ...made, found, poll };
  };

  test('is told as GitHub would have, the oldest first, once, and costs nothing while nothing is new', async () => {
    const { fake, repository, found, poll } = await polling();
    repository.issueEvents.push(
      event(99),
      event(101),
      event(102, { event: 'assigned' }),
      event(103, { event: 'closed' }),
    );
    repository.issueEvents.push(event(104, { event: 'closed', issue: { ...issue, number: 8, state: 'closed' } }));
    repository.comments.push({ id: 11, number: 7, login: 'ada', body: '@workledger approve', at: ago(20) });
    repository.comments.push({ id: 12, number: 7, login: 'ada', body: 'fine', at: ago(19) });
    const first = await poll();
    expect(found.map(({ deliveryId }) => deliveryId)).toEqual([
      'found-event-101',
      'found-event-104',
      'found-comment-11',
    ]);
    expect(found[0]?.body).toMatchObject({
      ...{ action: 'labeled', repository: { full_name: 'acme/sample' }, sender: { login: 'ada' } },
      ...{ label: { name: 'workledger' }, issue: { number: 7, updated_at: ago(30) } },
    });
    expect(first.cursor).toEqual({ event: 104, comment: 12, commentsSince: ago(19) });
    await poll(first.cursor);
    const { remaining } = fake.quota;
    expect((await poll(first.cursor)).seen.found).toBe(0);
    expect(fake.quota.remaining).toBe(remaining);
    expect(found).toHaveLength(3);
  });

  test('is left to its own delivery for a minute, and nothing that was undone or is of a pull request is told', async () => {
    const { repository, found, poll } = await polling();
    repository.issueEvents.push(
      event(101, { issue: { ...issue, labels: [] } }),
      event(102, { event: 'unlabeled' }),
      event(103, { issue: { ...issue, pull_request: {} } }),
      event(104, { created_at: ago(0.5) }),
    );
    const first = await poll();
    expect(found).toEqual([]);
    expect(first.cursor.event).toBe(103);
    await poll(first.cursor, { now: NOW + 60_000 });
    expect(found.map(({ deliveryId }) => deliveryId)).toEqual(['found-event-104']);
  });

  test('begins with what comes after the first look', async () => {
    const { repository, found, poll } = await polling();
    repository.issueEvents.push(event(101), event(102));
    expect((await poll(null)).cursor).toEqual({ event: 102, comment: 0, commentsSince: ago(0) });
    expect(found).toEqual([]);
  });

  test('waits where little of the quota is left: nothing is lost', async () => {
    const { fake, repository, found, poll } = await polling();
    fake.quota.remaining = 1_000;
    repository.issueEvents.push(event(101));
    const first = await poll(before, { quotaShare: 0 });
    expect(found).toHaveLength(1);
    repository.issueEvents.push(event(102));
    const cut = await poll(first.cursor);
    expect(cut).toEqual({ cursor: first.cursor, seen: { found: 0, redelivered: 0, givenUp: 0, cut: 'quota' } });
  });
});
