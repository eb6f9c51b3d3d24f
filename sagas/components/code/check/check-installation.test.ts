import { expect, test } from 'vitest';
import { createGithubWorld } from '../../github/testing.ts';
import { checkInstallation } from './check-installation.ts';

/** An app that is installed at two owners. */
async function installedWorld(options: Parameters<typeof createGithubWorld>[0] = { as: 'app' }) {
  const world = await createGithubWorld(options);
  world.fake.app.installations.set('umbrella', 42);
  const check = async () => (await checkInstallation(world.configuration, world.folder))[0];
  return { ...world, check };
}

test('an app that may work in all that is registered is well, and what else it may work in is a hint', async () => {
  const { check, fake } = await installedWorld();
  expect(await check()).toEqual({
    ...{ subject: 'github: installations', ok: true, detail: 'the app may work in all that is registered' },
  });
  fake.settings.mostPerPage = 2;
  for (const name of ['acme/one', 'acme/two', 'acme/three', 'umbrella/four', 'elsewhere/five'])
    fake.addRepository(name);
  fake.addRepository('acme/old').archived = true;
  expect(await check()).toMatchObject({
    ok: true,
    detail:
      'the app may work in all that is registered; it may work in acme/one, acme/two, acme/three, umbrella/four, too: register what is to be worked on',
  });
  expect(fake.count('GET', /^\/installation\/repositories/)).toBe(6);
});

test('what is registered and out of its reach is a fault, by name', async () => {
  const { check, configuration } = await installedWorld();
  const [sample] = configuration.repositories;
  configuration.repositories.push({ ...sample!, name: 'shop', github: 'elsewhere/shop' });
  configuration.repositories.push({ ...sample!, name: 'same', github: 'ACME/Sample' });
  configuration.repositories.push({ ...sample!, name: 'none', github: null });
  expect(await check()).toMatchObject({
    ok: false,
    detail: 'the app may not work in elsewhere/shop (repository "shop"): install it there, or correct "github"',
  });
});

test('what is registered because it is installed there is no hint', async () => {
  const { check, configuration, fake } = await installedWorld();
  const each = configuration.repositories[0]!;
  configuration.installed = { of: ['Acme/*'], each };
  for (const name of ['acme/one', 'umbrella/four']) fake.addRepository(name);
  expect(await check()).toMatchObject({
    ok: true,
    detail:
      'the app may work in all that is registered; acme/one is registered by "installed"; it may work in umbrella/four, too: register what is to be worked on',
  });
});

test('of many only some are named', async () => {
  const { check, fake } = await installedWorld();
  for (let number = 0; number < 12; number++) fake.addRepository(`acme/other-${number}`);
  expect((await check())?.detail).toMatch(/acme\/other-9 and 2 more, too/);
});

test('an app that GitHub does not let in is told; of a token nobody can tell, and nothing is asked', async () => {
  const { check, fake } = await installedWorld();
  fake.fail('GET', /^\/app\/installations$/, { kind: 'answer', answer: { status: 401, body: { message: 'no' } } });
  expect(await check()).toMatchObject({ ok: false, detail: expect.stringMatching(/GitHub refuses the login \(no\)/) });
  const withToken = await installedWorld({ as: 'token' });
  expect(await withToken.check()).toBeUndefined();
  expect(withToken.fake.calls).toEqual([]);
});
