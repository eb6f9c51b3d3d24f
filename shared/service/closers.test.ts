import { expect, it } from 'vitest';
import { createClosers } from './closers.ts';

it('closes the newest first, and all of them, though one fails', async () => {
  const closers = createClosers();
  const closed: string[] = [];
  closers.add(() => closed.push('first'));
  closers.add(() => Promise.reject(new Error('broken')));
  closers.add(() => closed.push('last'));
  await expect(closers.close()).rejects.toThrow('broken');
  expect(closed).toEqual(['last', 'first']);
});

it('what does not close in time is named, and does not keep the others open', async () => {
  const closers = createClosers();
  const closed: string[] = [];
  closers.add(() => closed.push('first'));
  closers.add(() => new Promise(() => undefined), 'the connections to PostgreSQL');
  await expect(closers.close(50)).rejects.toThrow('closing the connections to PostgreSQL: no answer within');
  expect(closed).toEqual(['first']);
});
