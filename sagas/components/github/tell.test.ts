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
