import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configurationSchema } from '@workledger/shared/config/schema.ts';
import { describe, expect, test } from 'vitest';
import { openGithub } from './github.ts';
import { createGithubWorld } from './testing.ts';

const TOKENS = /^\/app\/installations\/41\/access_tokens$/;
const comment = (number: number) => ({ number, about: 'progress', text: 'Working on it.' });

describe('an app', () => {
  test('gets a token for its installation, once for all who want one', async () => {
    const { call, fake } = await createGithubWorld({ as: 'app' });
    await Promise.all([1, 2, 3, 4, 5].map((number) => call('github.comment', comment(number))));
    await call('github.reviews', { number: 9 }).catch(() => undefined);
    expect(fake.count('POST', TOKENS)).toBe(1);
    expect(fake.count('GET', /installation$/)).toBe(1);
    expect(
      fake.calls.filter(({ path }) => path.includes('/comments')).every(({ login }) => login?.kind === 'installation'),
    ).toBe(true);
  });

  test('renews it a minute before its end, and not for every call', async () => {
    const { call, fake } = await createGithubWorld({ as: 'app' });
    fake.app.tokenMilliseconds = 59_000;
    await call('github.labels', { number: 1, add: [], remove: [] });
    fake.app.tokenMilliseconds = 3_600_000;
    for (let time = 0; time < 3; time++) await call('github.labels', { number: 1, add: [], remove: [] });
    expect(fake.count('POST', TOKENS)).toBe(2);
  });

  test('gets another one where the first was withdrawn', async () => {
    const { call, fake } = await createGithubWorld({ as: 'app' });
    await call('github.comment', comment(1));
    fake.logins.withdraw();
    expect(await call('github.comment', comment(2))).toMatchObject({ outcome: 'written' });
    expect(fake.count('POST', TOKENS)).toBe(2);
  });

  test('that is not installed there is told so', async () => {
    const { call, fake } = await createGithubWorld({ as: 'app' });
    fake.app.installations.clear();
    await expect(call('github.comment', comment(1))).rejects.toMatchObject({
      ...{ retryable: false, fault: 'origin', message: expect.stringContaining('not installed for acme/sample') },
    });
    fake.app.installations.set('acme', 41);
    expect(await call('github.comment', comment(1))).toMatchObject({ outcome: 'written' });
  });

  test('that is installed anew, as another installation, is let in by that one', async () => {
    const { call, fake } = await createGithubWorld({ as: 'app' });
    fake.app.tokenMilliseconds = 59_000;
    await call('github.comment', comment(1));
    fake.app.installations.set('acme', 42);
    await expect(call('github.comment', comment(2))).rejects.toThrow();
    expect(await call('github.comment', comment(2))).toMatchObject({ outcome: 'written' });
  });

  test('who gives up does not take the token from those who wait', async () => {
    const { call, fake } = await createGithubWorld({ as: 'app' });
    fake.fail('POST', TOKENS, { kind: 'page', status: 502 });
    const giveUp = new AbortController();
    const first = call('github.comment', comment(1), { signal: giveUp.signal });
    const second = call('github.comment', comment(2));
    giveUp.abort(new Error('enough'));
    await expect(first).rejects.toThrow();
    expect(await second).toMatchObject({ outcome: 'written' });
  });

  test('what it was let in by is in no failure', async () => {
    const { call, fake, github, log } = await createGithubWorld({ as: 'app' });
    await call('github.comment', comment(1));
    const [token = ''] = github().secrets();
    expect(token).toMatch(/^ghs_/);
    fake.fail('POST', /comments$/, { kind: 'answer', answer: { status: 422, body: { message: `not ${token}` } } });
    await expect(call('github.comment', comment(2))).rejects.toThrow('GitHub refuses it (not [hidden])');
    expect(log.text()).not.toContain(token);
  });
});

describe('what the configuration names', () => {
  test.each([
    ['a token', {}],
    ['an app', { as: 'app' }],
  ] as const)('%s is looked at without cost', async (_, options) => {
    const { github, fake } = await createGithubWorld(options);
    const { signal } = new AbortController();
    await github().check(signal);
    fake.fail('GET', /./, { kind: 'answer', answer: { status: 401, body: { message: 'Bad credentials' } } });
    await expect(github().check(signal)).rejects.toThrow(/refuses the login/);
  });

  test('a key that is none is told without a word of it', async () => {
    const { folder, fake } = await createGithubWorld();
    const text = 'MIIEpAIBAAKCAQEA not really a key';
    await writeFile(
      join(folder, 'bad.pem'),
      `-----BEGIN RSA PRIVATE KEY-----\n${text}\n-----END RSA PRIVATE KEY-----\n`,
    );
    const configuration = configurationSchema.parse({
      github: { url: fake.url, app: { id: 7, key: { file: 'bad.pem' } } },
    });
    const error = await openGithub(configuration, folder).catch((reason: unknown) => reason);
    expect(String(error)).toMatch(/github\.app\.key: no RSA private key → use the \.pem file/);
    expect(String(error)).not.toContain('MIIE');
  });

  test('nothing is nothing', async () => expect(await openGithub(configurationSchema.parse({}), '.')).toBeNull());
});
