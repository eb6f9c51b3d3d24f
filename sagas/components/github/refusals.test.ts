import { createRandom, seeds } from '@workledger/infra/testing/events/random.ts';
import { refusal, type FakeAnswer } from '@workledger/infra/testing/github/answer.ts';
import { secondaryLimit } from '@workledger/infra/testing/github/fake-github.ts';
import { commitOf } from '@workledger/infra/testing/github/state.ts';
import { describe, expect, test } from 'vitest';
import { ComponentFailure, Postponed } from '../../engine/component.ts';
import { createGithubLimits } from './limits.ts';
import { createGithubWorld, POST_PULL, pullOf } from './testing.ts';

const reviews = { number: 1 };
const COMMENTS = /comments$/;
const comment = { number: 5, about: 'progress', text: 'Working on it.' };

describe('a refusal', () => {
  test('of the login is for good, and says what to mend', async () => {
    const { call, fake, repository } = await createGithubWorld();
    repository.permissions = ['issues=read'];
    await expect(call('github.reviews', reviews)).rejects.toMatchObject({
      ...{ retryable: false, fault: 'origin' },
      message: expect.stringMatching(/Resource not accessible.*permission pull_requests=read on acme\/sample/),
    });
    fake.fail('GET', /./, { kind: 'answer', answer: refusal(401, 'Bad credentials') });
    await expect(call('github.reviews', reviews)).rejects.toMatchObject({
      ...{ retryable: false, fault: 'origin', message: expect.stringContaining('refuses the login (Bad credentials)') },
    });
  });

  test.each([
    [404, 'Not Found', false, 'origin', /no such thing in acme\/sample, or the login does not see it/],
    [410, 'Issues are disabled for this repo', false, 'origin', /does not offer it/],
    [451, 'Unavailable', false, 'origin', /does not offer it/],
    [403, 'Repository was archived so is read-only.', false, 'origin', /is archived on GitHub/],
    [301, 'Moved Permanently', false, 'origin', /has another name/],
    [409, 'Conflict', true, 'origin', /cannot do it now/],
    [422, 'Validation Failed', false, 'work', /refuses it/],
    [400, 'Problems parsing JSON', false, 'component', /answers 400/],
  ] as const)('with %i (%s)', async (status, words, retryable, fault, message) => {
    const { call, fake } = await createGithubWorld();
    fake.fail('GET', /reviews/, { kind: 'answer', answer: refusal(status, words) });
    await expect(call('github.reviews', reviews)).rejects.toMatchObject({
      ...{ retryable, fault, message: expect.stringMatching(message) },
    });
    expect(fake.count('GET', /reviews/)).toBe(1);
  });

  test('while GitHub is in trouble is tried again, then left to the next attempt: as of any origin that is away', async () => {
    const { call, fake } = await createGithubWorld();
    fake.fail('GET', /reviews/, { kind: 'page', status: 502 }, 2);
    fake.fail('GET', /reviews/, { kind: 'drop' });
    await expect(call('github.reviews', reviews)).rejects.toMatchObject({
      message: expect.stringContaining('no such thing'),
    });
    fake.fail('GET', /reviews/, { kind: 'cut' }, 2);
    fake.fail('GET', /reviews/, { kind: 'drop' }, 2);
    const failed = call('github.reviews', reviews);
    await expect(failed).rejects.toSatisfy((error) => error instanceof ComponentFailure || error instanceof Postponed);
  });

  test.each([
    ['a page of somebody on the way', { kind: 'page', status: 200 } as const],
    ['other fields', { kind: 'answer', answer: { status: 200, body: [{ id: 'one' }] } } as const],
    ['nothing', { kind: 'answer', answer: { status: 200 } } as const],
  ])('is not what %s is: it is tried again', async (_, fault) => {
    const { call, fake } = await createGithubWorld();
    fake.fail('GET', /reviews/, fault);
    await expect(call('github.reviews', reviews)).rejects.toMatchObject({
      ...{ retryable: true, fault: 'origin', message: expect.stringContaining("GitHub's answer cannot be read") },
    });
  });

  test('five times in a row lets GitHub rest: what comes meanwhile waits, and is no try', async () => {
    const { call, fake, github } = await createGithubWorld();
    fake.fail('GET', /reviews/, { kind: 'page', status: 500 }, 9);
    await call('github.reviews', reviews).catch(() => undefined);
    await expect(call('github.reviews', reviews)).rejects.toBeInstanceOf(Postponed);
    await expect(call('github.comment', comment)).rejects.toBeInstanceOf(Postponed);
    expect(fake.count('GET', /reviews/)).toBe(5);
    expect(github().state()).toMatchObject({ breaker: 'open' });
  });
});

describe('a limit', () => {
  test('of the hour that is used up puts work off until its end, and nothing is asked before', async () => {
    const { call, fake, github } = await createGithubWorld();
    fake.quota.remaining = 0;
    const reason = /takes nothing more before 20.*hourly limit|hourly limit/;
    await expect(call('github.comment', comment)).rejects.toMatchObject({
      name: 'Postponed',
      message: expect.stringMatching(reason),
    });
    const asked = fake.calls.length;
    await expect(call('github.reviews', reviews)).rejects.toMatchObject({ name: 'Postponed' });
    expect(fake.calls).toHaveLength(asked);
    expect(github().state().limitedUntil).toBe(new Date(1_000 * fake.quota.resetAt).toISOString());
  });

  test('is known from the last answer within it', async () => {
    const { call, fake, repository } = await createGithubWorld();
    fake.quota.remaining = 1;
    repository.branches.set('work', commitOf('work'));
    await expect(call('github.delete-branch', { branch: 'work', commit: commitOf('work') })).rejects.toBeInstanceOf(
      Postponed,
    );
    expect(fake.calls.map(({ status }) => status)).toEqual([200]);
  });

  test('of bursts that ends soon is waited for', async () => {
    const { call, fake, repository } = await createGithubWorld();
    fake.fail('POST', COMMENTS, secondaryLimit({ 'Retry-After': '1' }));
    expect(await call('github.comment', comment)).toMatchObject({ outcome: 'written' });
    expect(repository.comments).toHaveLength(1);
    expect(fake.count('POST', COMMENTS)).toBe(2);
  });

  test('of bursts that names no time is a minute, then two', () => {
    const limitOf = createGithubLimits();
    const body = Buffer.from('{"message":"You have triggered an abuse detection mechanism."}');
    const refused = { status: 403, headers: {}, body };
    expect(limitOf(refused, 0)?.until).toEqual(new Date(60_000));
    expect(limitOf(refused, 0)?.until).toEqual(new Date(120_000));
    expect(limitOf({ status: 200, headers: {}, body }, 0)).toBeNull();
    expect(limitOf(refused, 0)?.until).toEqual(new Date(60_000));
    expect(limitOf({ ...refused, body: Buffer.from('{"message":"Must have admin rights"}') }, 0)).toBeNull();
  });

  test('what is as it was costs nothing of it', async () => {
    const { call, fake } = await createGithubWorld();
    await call('github.comment', comment);
    const { remaining } = fake.quota;
    await call('github.comment', comment);
    await call('github.comment', comment);
    expect(remaining - fake.quota.remaining).toBeLessThan(2);
  });

  test('of ours holds: changes come one after the other', async () => {
    const { call, fake } = await createGithubWorld();
    fake.settings.milliseconds = 20;
    const numbers = [1, 2, 3, 4, 5, 6];
    await Promise.all(numbers.map((number) => call('github.comment', { ...comment, number })));
    expect(fake.most.changes).toBe(1);
    expect(fake.most.atOnce).toBeGreaterThan(1);
  });
});

test('without "github" in the configuration, of all or of the repository, work waits until it is there', async () => {
  const { call, configuration } = await createGithubWorld();
  configuration.repositories[0]!.github = null;
  await expect(call('github.reviews', reviews)).rejects.toMatchObject({
    name: 'Postponed',
    message: expect.stringContaining('has no "github"'),
  });
});

test.each(seeds(3))(
  'whatever GitHub answers is a failure or a wait, and nothing tells a secret (seed %s)',
  async (seed) => {
    const random = createRandom(seed);
    const { call, fake, log, repository } = await createGithubWorld({ github: { restMs: 1 } });
    repository.branches.set('workledger/1', commitOf('work'));
    const odd = (): FakeAnswer => ({
      status: random.pick([
        200, 201, 204, 299, 300, 304, 307, 400, 401, 402, 403, 404, 405, 409, 413, 418, 422, 500, 503, 599,
      ]),
      body: random.pick<unknown>([
        undefined,
        null,
        [],
        {},
        'x',
        7,
        [{}],
        { message: fake.token },
        { message: 7, errors: [null, 7, { code: 1 }] },
      ]),
      headers: random.pick<Record<string, string>>([
        {},
        { Link: '<http://elsewhere.example/x>; rel="next"' },
        { Location: 'http://elsewhere.example' },
        { ETag: 'x' },
      ]),
    });
    for (let step = 0; step < 60; step++) {
      fake.fail('GET', /./, { kind: 'answer', answer: odd() });
      fake.fail('POST', POST_PULL, { kind: 'answer', answer: odd() });
      const error: unknown = await call('github.pull-request', pullOf()).catch((reason: unknown) => reason);
      if (error instanceof Error) {
        expect(error instanceof ComponentFailure || error instanceof Postponed, String(error)).toBe(true);
        expect(`${error.message} ${JSON.stringify(error)}`).not.toContain(fake.token);
      }
    }
    expect(log.text()).not.toContain(fake.token);
  },
);
