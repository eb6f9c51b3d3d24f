import { expect, test } from 'vitest';
import { ComponentFailure, Postponed, type Component } from '../../engine/component.ts';
import { createInstalled, installed } from './look-installed.ts';
import { createGithubWorld } from './testing.ts';

type World = Awaited<ReturnType<typeof createGithubWorld>>;

const lookIn = (world: World, of: readonly string[] | null = ['acme/*']): ReturnType<Component['perform']> => {
  const each = world.configuration.repositories[0]!;
  const configuration = { ...world.configuration, installed: of && { of: [...of], each } };
  const component = createInstalled({ configuration, github: world.github() });
  return component.perform({}, { key: 'one', signal: new AbortController().signal });
};
const world = () => createGithubWorld({ as: 'app' });
const LIST = /^\/installation\/repositories/;

test('tells what the app may work in, with where git finds it, over all pages; without what is archived', async () => {
  const made = await world();
  made.fake.settings.mostPerPage = 2;
  for (const name of ['acme/one', 'acme/two', 'acme/three']) made.fake.addRepository(name);
  Object.assign(made.fake.addRepository('acme/four'), { cloneUrl: '/srv/four', defaultBranch: 'trunk' });
  made.fake.addRepository('acme/old').archived = true;
  const told = (name: string) => ({ url: `${made.fake.url}/${name}.git`, baseBranch: 'main' });
  const seen = installed.result.parse(await lookIn(made));
  expect(seen).toEqual({
    environment: 'production',
    installed: {
      ...{ 'acme/one': told('acme/one'), 'acme/two': told('acme/two'), 'acme/three': told('acme/three') },
      ...{ 'acme/four': { url: '/srv/four', baseBranch: 'trunk' }, 'acme/sample': told('acme/sample') },
    },
  });
  expect(made.fake.count('GET', LIST)).toBe(3);
});

test('asks for nothing of who is not named, nor of who has suspended it', async () => {
  const made = await world();
  for (const [owner, id] of [
    ['umbrella', 42],
    ['stranger', 43],
    ['resting', 44],
  ] as const) {
    made.fake.app.installations.set(owner, id);
    for (const name of ['one', 'two']) made.fake.addRepository(`${owner}/${name}`);
  }
  made.fake.app.suspended.add(44);
  const seen = installed.result.parse(await lookIn(made, ['acme/*', 'Umbrella/One', 'resting/*']));
  expect(Object.keys(seen.installed)).toEqual(['acme/sample', 'umbrella/one']);
  expect(made.fake.count('GET', LIST)).toBe(2);
  made.fake.app.installations.clear();
  expect(await lookIn(made)).toEqual({ environment: 'production', installed: {} });
});

test('tells nothing where it is refused, or does not see all: what it does not tell is taken for gone', async () => {
  const made = await world();
  made.fake.fail('GET', LIST, { kind: 'answer', answer: { status: 403, body: { message: 'Not accessible' } } });
  await expect(lookIn(made)).rejects.toMatchObject({ retryable: false, fault: 'origin' });
  made.fake.fail('GET', LIST, { kind: 'page', status: 502 }, 50);
  await expect(lookIn(made)).rejects.toThrow(ComponentFailure);
  const long = await world();
  long.fake.settings.mostPerPage = 1;
  for (let number = 0; number < 50; number++) long.fake.addRepository(`acme/more-${number}`);
  await expect(lookIn(long)).rejects.toThrow(/lists more than 50 under .*nothing is taken of it/);
});

test('tells in words of more than a revision may hold, and waits for an app', async () => {
  const made = await world();
  for (let number = 0; number < 1_300; number++) made.fake.addRepository(`acme/repository-${number}`);
  await expect(lookIn(made)).rejects.toThrow(/installed for 1301 repositories, \d+ bytes: at most 100000/);
  await expect(lookIn(await createGithubWorld())).rejects.toThrow(Postponed);
  await expect(lookIn(made, null)).rejects.toThrow('not in the configuration any more');
});
