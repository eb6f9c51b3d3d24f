import { describe, expect, test } from 'vitest';
import { isOnGithub, type GitOrigin } from './git-token.ts';
import { createGithubWorld } from './testing.ts';

const TOKENS = /^\/app\/installations\/41\/access_tokens$/;
const { signal } = new AbortController();

async function world(as: 'app' | 'token' = 'app') {
  const made = await createGithubWorld({ as, prefix: '/api/v3' });
  const web = `http://${made.fake.host}`;
  const origin: GitOrigin = { url: `${web}/acme/sample.git`, github: 'acme/sample', protectCi: true };
  const token = (change: Partial<GitOrigin> = {}, refused: string | null = null) =>
    made.github().gitToken({ ...origin, ...change }, refused, signal);
  const asked = () => made.fake.calls.filter(({ path }) => TOKENS.test(path)).map(({ body }) => JSON.parse(body) as unknown); // prettier-ignore
  return { ...made, web, token, asked };
}

describe('an address of the registered repository', () => {
  test.each([
    'https://github.com/acme/sample',
    'https://github.com/acme/sample.git',
    'https://GitHub.com/Acme/SAMPLE.git/',
    'https://github.com:443/acme/sample',
  ])('is %s', (url) => expect(isOnGithub('https://github.com', { url, github: 'acme/Sample' })).toBe(true));

  test.each([
    ['a user', 'https://ada@github.com/acme/sample'],
    ['a user and a password', 'https://ada:secret@github.com/acme/sample'],
    ['no encryption', 'http://github.com/acme/sample'],
    ['another host', 'https://github.com.example.org/acme/sample'],
    ['another port', 'https://github.com:8443/acme/sample'],
    ['a host that only looks so', 'https://gith%75b.com/acme/sample'],
    ['another way to write a slash', String.raw`https://github.com\@example.org/acme/sample`],
    ['another repository', 'https://github.com/acme/sample-two'],
    ['another owner', 'https://github.com/other/sample'],
    ['more of a path', 'https://github.com/acme/sample/wiki'],
    ['a way around', 'https://github.com/other/../acme/sample'],
    ['a query', 'https://github.com/acme/sample?x'],
    ['a key', 'git@github.com:acme/sample.git'],
    ['ssh', 'ssh://github.com/acme/sample.git'],
    ['a folder', '/acme/sample'],
  ])('is none with %s', (_, url) =>
    expect(isOnGithub('https://github.com', { url, github: 'acme/sample' })).toBe(false),
  );

  test('is none where the registration has no name of GitHub', () =>
    expect(isOnGithub('https://github.com', { url: 'https://github.com/acme/sample', github: null })).toBe(false));

  test('lies below where an Enterprise Server has its pages', () => {
    const url = 'https://proxy.example.org/ghe/acme/sample';
    expect(isOnGithub('https://proxy.example.org/ghe', { url, github: 'acme/sample' })).toBe(true);
    expect(isOnGithub('https://proxy.example.org', { url, github: 'acme/sample' })).toBe(false);
  });
});

describe('an app gives git', () => {
  test('a token for one repository and what git does there, once for all who wait, and it is said nowhere', async () => {
    const { token, asked, github } = await world();
    const [first, ...others] = await Promise.all([token(), token(), token({ github: 'Acme/Sample' })]);
    expect(others).toEqual([first, first]);
    expect(asked()).toEqual([{ repositories: ['sample'], permissions: { contents: 'write' } }]);
    expect(github().secrets()).toContain(first);
  });

  test('another one a minute before its end', async () => {
    const { token, asked, fake, github } = await world();
    fake.app.tokenMilliseconds = 59_000;
    const first = await token();
    fake.app.tokenMilliseconds = 3_600_000;
    const next = await token();
    expect(next).not.toBe(first);
    expect(await token()).toBe(next);
    expect(asked()).toHaveLength(2);
    expect(github().secrets()).toEqual([first, next]);
  });

  test('another one in place of what was refused, once for all to whom it was', async () => {
    const { token, asked } = await world();
    const first = await token();
    const next = await Promise.all([token({}, first), token({}, first), token({}, first)]);
    expect(new Set(next).size).toBe(1);
    expect(next[0]).not.toBe(first);
    expect(asked()).toHaveLength(2);
  });

  test('workflows, too, where CI is not protected and the app may', async () => {
    const { token, asked, fake } = await world();
    fake.app.permissions = { ...fake.app.permissions, workflows: 'write' };
    expect(await token({ protectCi: false })).toMatch(/^ghs_/);
    expect(asked()).toEqual([{ repositories: ['sample'], permissions: { contents: 'write', workflows: 'write' } }]);
  });

  test('all but workflows, where it may not push those', async () => {
    const { token, asked } = await world();
    expect(await token({ protectCi: false })).toMatch(/^ghs_/);
    expect(asked()[1]).toEqual({ repositories: ['sample'], permissions: { contents: 'write' } });
  });

  test('nothing for another address', async () => {
    const { token, asked, web } = await world();
    expect(await token({ url: `${web}/acme/other` })).toBeNull();
    expect(await token({ url: 'https://github.com/acme/sample' })).toBeNull();
    expect(asked()).toEqual([]);
  });

  test('its words where it may not have the repository, and looks again the next time', async () => {
    const { token, fake } = await world();
    fake.app.permissions = { metadata: 'read' };
    await expect(token()).rejects.toMatchObject({
      ...{ retryable: false, fault: 'origin' },
      message: expect.stringMatching(
        /may not push to acme\/sample \(The permissions requested .*contents: write/,
      ) as string,
    });
    fake.app.permissions = { contents: 'write' };
    fake.app.installations.set('acme', 42);
    expect(await token()).toMatch(/^ghs_/);
  });
});

test('a token of a person is not given to git', async () => {
  const { token, fake } = await world('token');
  expect(await token()).toBeNull();
  expect(fake.calls).toEqual([]);
});
