import { expect, test } from 'vitest';
import type { RequestOf } from '../catalogue.ts';
import { createGithubWorld } from './testing.ts';

type Telling = Omit<RequestOf<'github.tell'>, 'taskId' | 'runId' | 'repository'>;

const news = (stage: Telling['stage'], text: string, more: Partial<Telling> = {}): Telling => ({
  ...{ place: 'acme/sample#12', about: 'task', known: null, to: null, questionId: null, isOpen: false, state: null },
  ...{ stage, text, ...more },
});

test('the issue of a task is told in one comment how far it is, and by one label', async () => {
  const { call, repository, fake } = await createGithubWorld();
  await call('github.tell', news('started', 'Begun.'));
  await call('github.tell', news('review', 'Look.'));
  expect(repository.labels.get(12)).toEqual(['workledger:working']);
  await call('github.tell', news('done', 'Done.'));
  await call('github.tell', news('done', 'Done.'));
  expect(repository.labels.get(12)).toEqual(['workledger:done']);
  expect(repository.comments.map(({ number, body }) => [number, body.split('\n')[1]])).toEqual([[12, 'Done.']]);
  expect(fake.count('POST', /comments/)).toBe(1);
  expect(fake.count('PATCH', /comments/)).toBe(2);
});

test('a comment that somebody removed is not written again; its label is set', async () => {
  const { call, repository, fake } = await createGithubWorld();
  const { id } = await call('github.tell', news('started', 'Begun.'));
  expect(await call('github.tell', news('review', 'Look.', { known: id }))).toEqual({
    outcome: 'updated',
    id,
    state: null,
  });
  expect(repository.comments.map(({ body }) => body.split('\n')[1])).toEqual(['Look.']);
  expect(fake.count('GET', /\/issues\/12\/comments/), 'what is known is not looked for').toBe(1);
  repository.comments.splice(0);
  expect(await call('github.tell', news('done', 'Done.', { known: id }))).toEqual({ outcome: 'gone', id, state: null });
  expect([repository.comments, repository.labels.get(12)]).toEqual([[], ['workledger:done']]);
});

test('a comment of another login is told anew by the one that is configured now', async () => {
  const { call, repository } = await createGithubWorld();
  const { id } = await call('github.tell', news('started', 'Begun.'));
  Object.assign(repository.comments[0]!, { login: 'before' });
  expect(await call('github.tell', news('done', 'Done.', { known: id }))).toMatchObject({ outcome: 'written' });
  expect(repository.comments.map(({ body }) => body.split('\n')[1])).toEqual(['Begun.', 'Done.']);
});

test('why it failed is told as words of others, which call nobody', async () => {
  const { call, repository } = await createGithubWorld();
  await call('github.tell', news('failed', 'It failed.', { reason: 'see @ada and #7\n<!-- x -->' }));
  expect(repository.labels.get(12)).toEqual(['workledger:failed']);
  const [, ...told] = repository.comments[0]?.body.split('\n') ?? [];
  expect(told).toEqual(['It failed.', '', '> see @\u200bada and #\u200b7', '> <!\u200b-- x -->']);
});

test('what is told of a question leaves the labels as they are', async () => {
  const { call, repository } = await createGithubWorld();
  await call('github.tell', news(null, 'Nobody answered in time.', { about: 'question/1' }));
  expect([repository.comments.length, repository.labels.get(12) ?? []]).toEqual([1, []]);
});

test('an issue of another repository, and a place that is none, are told nothing', async () => {
  const { call, fake } = await createGithubWorld();
  for (const place of ['acme/other#12', 'acme/sample', 'acme/sample#0'])
    expect(await call('github.tell', news('done', 'Done.', { place }))).toMatchObject({ outcome: 'off' });
  expect(fake.calls).toEqual([]);
});
